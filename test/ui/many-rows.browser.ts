import { it } from 'vitest';
import { LiveFleet } from '../../src/cli/api/live-fleet.js';
import { readPageFiles } from '../../src/cli/api/page-files.js';
import type { ApiContext } from '../../src/cli/api/route.js';
import { serveApi } from '../../src/cli/api/serve-api.js';
import type { ListedPeel } from '../../src/protocol/messages.js';
import { atEnd } from '../support/cleanup.js';
import { startBrowser } from './page.js';

const PEELS = 50_000;

/** A registry without servers: only the interface and the page are measured. */
function* peels(): IterableIterator<ListedPeel> {
  const at = new Date().toISOString();
  const now = Math.floor(Date.now() / 1000);
  for (let i = 0; i < PEELS; i += 1) {
    const publicKey = `U${String(i).padStart(55, 'A')}`;
    yield {
      record: {
        id: `web-${String(i).padStart(5, '0')}`,
        state: i % 50 === 0 ? 'pending' : 'active',
        number: 3,
        createdAt: at,
        updatedAt: at,
        keys: [{ publicKey, state: 'live', issuedAt: now, expiresAt: now + 3_600 + i, addedAt: at }],
      },
      ...(i % 3 !== 0 && {
        presence: { lastSeen: at, connections: [{ server: 'S', cid: i, publicKey, since: at }] },
      }),
    };
  }
}

const forever = () => new Promise<never>(() => undefined);

// It asserts no time: what it prints depends on the machine.
it('prints the figures of a list of 50,000 peels', async () => {
  const fleet = {
    account: 'A',
    connection: { info: { version: '2.15.1' } },
    status: forever,
    peels: {
      list: async function* () {
        yield* peels();
      },
    },
    audit: async function* () {
      await forever();
      yield undefined;
    },
    client: {
      stream: async function* () {
        yield { peels: [] };
        await forever();
      },
    },
  } as unknown as ApiContext['fleet'];
  const live = new LiveFleet(fleet, Date.now);
  await live.ready();
  const none = () => undefined;
  const api = await serveApi({
    host: '127.0.0.1',
    port: 0,
    role: 'owner',
    tokensOf: undefined,
    page: await readPageFiles(),
    log: { debug: none, info: none, warn: none, error: none },
    context: { fleet, live, now: Date.now, version: '0.0.0', writeToken: async () => '' },
  });
  atEnd(async () => {
    live.close();
    await api.close();
  });
  const browser = await startBrowser();
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  await page.goto(api.newLink());
  await page.getByText('live', { exact: true }).waitFor();
  await page.goto(`${api.url}/#/peels`);
  await page.reload();
  await page.getByRole('row').nth(5).waitFor();
  const paint = await page.evaluate<number>(
    "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN",
  );
  await page
    .getByText(`${PEELS.toLocaleString('en')} of ${PEELS.toLocaleString('en')} peels`, { exact: true })
    .waitFor();
  const [bytes, heap, frame] = [
    await page.evaluate<number>(
      "performance.getEntriesByType('resource').concat(performance.getEntriesByType('navigation')).reduce((sum, one) => sum + one.transferSize, 0)",
    ),
    await page.evaluate<number>('performance.memory.usedJSHeapSize'),
    await page.evaluate<number>(`new Promise((resolve) => {
      const box = document.querySelector('.grid-body');
      let longest = 0, before = performance.now(), left = 120;
      const step = (now) => {
        longest = Math.max(longest, now - before); before = now;
        box.scrollTop += 3000;
        if (--left > 0) requestAnimationFrame(step); else resolve(longest);
      };
      requestAnimationFrame((now) => { before = now; requestAnimationFrame(step); });
    })`),
  ];
  process.stdout.write(
    `${PEELS} peels: first contentful paint ${Math.round(paint)} ms, ${(bytes / 1e6).toFixed(1)} MB transferred, ` +
      `page heap ${Math.round(heap / 1e6)} MB, longest frame while scrolling ${Math.round(frame)} ms, ` +
      `process ${Math.round(process.memoryUsage().rss / 1e6)} MB\n`,
  );
});

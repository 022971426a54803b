import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { atEnd } from '../support/cleanup.js';
import { startFleet } from '../integration/fleet/fleet.js';
import { addCreds, TestPeel } from '../integration/fleet/peels.js';
import { openPage, servePage, startBrowser } from './page.js';

/** A reason that breaks out if it is not treated as text: of HTML, an attribute, a script, and the text direction. */
const HOSTILE = '"><img src=x onerror=alert(1)><script>alert(2)</script>\u202etxt.exe\u0007=1+1';

it('shows hostile reasons as text in every view, with invisible characters made visible', async () => {
  const fleet = await startFleet({ policy: 'manual', lifetime: 600 });
  const api = await servePage(fleet);
  const admin = await fleet.admin();
  await TestPeel.start(fleet, await addCreds(fleet, admin, 'evil-01'));
  await admin.ask('peel.revoke', { peelId: 'evil-01', reason: HOSTILE });
  const { page, problems } = await openPage(await startBrowser(), api);
  for (const view of ['peels', 'peels/evil-01', 'audit', 'pending', 'tokens', '']) {
    await page.goto(`${api.url}/#/${view}`);
    await page.locator('h1').first().waitFor();
    if (view === 'audit' || view === 'peels/evil-01')
      await page.getByText('<img src=x onerror=alert(1)>').first().waitFor();
    const text = await page.evaluate<string>('document.body.innerText');

    expect(text, view).not.toMatch(/[\u202a-\u202e\u0000-\u0008]/);
    expect(await page.evaluate<number>("document.querySelectorAll('main img, main script').length")).toBe(0);
  }
  expect(problems).toEqual([]);
});

it('lets no page of another site read anything, even with a signed-in browser', async () => {
  const fleet = await startFleet({ policy: 'manual', lifetime: 600 });
  const api = await servePage(fleet);
  const other = createServer((_request, response) => response.end('<!doctype html><title>other</title>'));
  other.listen(0, '127.0.0.1');
  await once(other, 'listening');
  atEnd(async () => void other.close());
  const { page } = await openPage(await startBrowser(), api);
  await page.goto(`http://127.0.0.1:${(other.address() as AddressInfo).port}/`);
  // the status, which is 403, is not shown even to the browser's driver: see http-interface.test.ts
  const blocked = page.waitForEvent('requestfailed', (request) => request.url().endsWith('/summary'));
  const asked = await page.evaluate<string>(
    `fetch('${api.url}/api/v1/summary', { credentials: 'include' }).then(() => 'read', () => 'refused')`,
  );
  expect(asked).toBe('refused');
  await blocked;
});

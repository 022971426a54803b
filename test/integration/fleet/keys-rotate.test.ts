// `zester keys rotate peel-signing` in a running fleet. ZESTER_ROTATE_PEELS: the number of peels, 4 by default.
import { access, readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { zester } from '../../cli/run-zester.js';
import { addedSeedPath } from '../../../src/trust/paths.js';
import { signingSeedPath } from '../../../src/trust/keys/signing-seed.js';
import { decodeUserJwt } from '../../../src/jwt/decode.js';
import { loadCredsFile } from '../../../src/creds/parse.js';
import { switchPeelSigningKey } from '../../../src/account/peel-key-rotation.js';
import { startZester } from '../server/zester-process.js';
import { waitFor } from '../../support/wait-for.js';
import { startFleet, type Fleet } from './fleet.js';
import { addCreds, TestPeel } from './peels.js';

const COUNT = Number(process.env['ZESTER_ROTATE_PEELS'] ?? 4);

let fleet: Fleet;
let peels: TestPeel[];
beforeAll(async () => {
  fleet = await startFleet({ policy: 'manual', lifetime: 3_600 });
  peels = await connected(Array.from({ length: COUNT }, (_, i) => `web-${i}`));
});

const at = () => ['--home', fleet.home.home, '--servers', ...fleet.servers];
const rotate = (...more: string[]) =>
  zester(['keys', 'rotate', 'peel-signing', '--yes', '--json', ...at(), ...more]);
const signing = async () => (await fleet.home.domain()).publicKeys.peelSigning;
const keysOfAccount = async () =>
  ((await fleet.home.domain()).accountClaims.nats.signing_keys ?? []).map((key) =>
    typeof key === 'string' ? key : key.key,
  );
const issuerOf = async (path: string) => decodeUserJwt((await loadCredsFile(path)).jwt).iss;

async function connected(ids: string[]): Promise<TestPeel[]> {
  const admin = await fleet.admin();
  const started = await Promise.all(
    ids.map(async (id) => TestPeel.start(fleet, await addCreds(fleet, admin, id))),
  );
  for (const id of ids) await fleet.record(id, ({ keys }) => keys.some(({ state }) => state === 'live'));
  return started;
}

/** Checks that no peel lost a connection, and that all answer, with a JWT of the key. */
async function expectWhole(all: readonly TestPeel[], key: string, pattern = 'web-*'): Promise<void> {
  for (const peel of all) {
    expect(peel.of('disconnected'), peel.recentEvents.join('\n')).toEqual([]);
    expect(await issuerOf(peel.credsPath)).toBe(key);
  }
  const ping = await zester(['ping', pattern, ...at()]);
  expect(ping.code, ping.stderr).toBe(0);
}

describe('rotating the peel signing key', () => {
  it('changes nothing with --dry-run', async () => {
    const before = await readFile((await fleet.home.domain()).paths.settings, 'utf8');
    const plan = await rotate('--dry-run');
    expect(plan.code, plan.stderr).toBe(0);
    expect(JSON.parse(plan.stdout)).toMatchObject({
      from: await signing(),
      to: null,
      peels: peels.map(() => ({ state: 'connected' })),
    });
    expect(await readFile((await fleet.home.domain()).paths.settings, 'utf8')).toBe(before);
  });

  it('killed in the middle continues, and no peel loses its connection', async () => {
    const from = await signing();
    const args = ['keys', 'rotate', 'peel-signing', '--yes', '--limit', '1', ...at()];
    const first = startZester(args);
    await waitFor('some peels to have a new key', () => peels.some(({ events }) => hasRotated(events)));
    first.kill('SIGKILL');
    await first.exited;
    const to = await signing();
    expect(to).not.toBe(from);
    expect(await keysOfAccount()).toEqual(expect.arrayContaining([from, to]));

    const done = await rotate();
    expect(done.code, done.stderr).toBe(0);
    expect(done.stderr).toContain('resuming');
    expect(JSON.parse(done.stdout)).toMatchObject({ from, to, removed: true, left: [], cut: [] });
    expect(await signing()).toBe(to);
    expect(await keysOfAccount()).not.toContain(from);
    await expectWhole(peels, to);
    const { paths, settings } = await fleet.home.domain();
    await expect(access(addedSeedPath(paths, 'peel-signing', from))).rejects.toThrow();
    expect(await readFile(signingSeedPath(paths, 'peel-signing', to), 'utf8')).not.toBe('');
    expect(settings.peelKeyRotation).toBeUndefined();
    await fleet.audited('signing-key.removed', ({ publicKey }) => publicKey === from);
  });

  it('names offline peels, resumes once one reconnects, and cuts the other off with --now', async () => {
    // a peel that is still moving to its new key accepts no other
    await Promise.all(peels.map((peel) => peel.event('keyRotated', 1)));
    const away = await connected(['away-1', 'away-2']);
    for (const { peel } of away) {
      await peel.nc.close();
      await peel.closed;
    }
    const from = await signing();
    // as after a kill between creating and using the new key
    const { to } = await switchPeelSigningKey(fleet.home.home, fleet.home.options);
    const kept = await rotate();
    expect([kept.code, kept.stderr]).toEqual([1, expect.stringContaining('2 not connected')]);
    expect(JSON.parse(kept.stdout)).toMatchObject({
      ...{ from, to, removed: false },
      left: [
        { id: 'away-1', state: 'offline' },
        { id: 'away-2', state: 'offline' },
      ],
    });
    expect(await keysOfAccount()).toEqual(expect.arrayContaining([from, to]));

    const back = await TestPeel.start(fleet, away[0]?.credsPath ?? '');
    const done = await rotate('--now');
    expect(done.code, done.stderr).toBe(0);
    expect(JSON.parse(done.stdout)).toMatchObject({ from, to, removed: true, cut: [{ id: 'away-2' }] });
    expect(await keysOfAccount()).not.toContain(from);
    await expectWhole([...peels, back], to);

    const recovered = await TestPeel.start(fleet, away[1]?.credsPath ?? '');
    expect(recovered.of('recovered')).toHaveLength(1);
    await expectWhole([recovered], to, '*');
  });
});

const hasRotated = (events: TestPeel['events']) => events.some(({ type }) => type === 'keyRotated');

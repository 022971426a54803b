import { beforeAll, describe, expect, it } from 'vitest';
import { loadCredsFile } from '../../../src/creds/parse.js';
import type { AdminClient } from '../../../src/protocol/admin-client.js';
import { startFleet, type Fleet } from './fleet.js';
import { addCreds, TestPeel } from './peels.js';

const MINUTE = 60_000;

let fleet: Fleet;
let admin: AdminClient;
beforeAll(async () => {
  fleet = await startFleet({ lifetime: 10 });
  admin = await fleet.admin();
});

describe.concurrent('a peel whose clock', () => {
  it.each([
    ['five minutes ahead', 5 * MINUTE, 'ahead-1'],
    ['five minutes behind', -5 * MINUTE, 'behind-1'],
    ['ten minutes ahead', 10 * MINUTE - 2_000, 'ahead-2'],
    ['a day behind', -24 * 60 * MINUTE, 'behind-2'],
  ])(
    'is %s starts with a valid credential, reports it once, and keeps renewing in time',
    async (_what, off, peelId) => {
      const credsPath = await addCreds(fleet, admin, peelId);
      const test = await TestPeel.start(fleet, credsPath, { now: () => Date.now() + off });
      const { expiresAt = 0 } = await test.event('renewed', 3, 60_000);
      expect(expiresAt).toBe(((await loadCredsFile(credsPath)).claims.exp ?? 0) * 1000);
      const [report, ...more] = test.of('clockOff');
      expect(more).toEqual([]);
      expect(Math.abs((report?.offsetMs ?? 0) + off)).toBeLessThan(11_000);
      for (const type of ['credentialsExpired', 'credentialsRejected'] as const) {
        expect(test.of(type)).toEqual([]);
      }
      expect(test.of('disconnected')).toEqual([]);
    },
    90_000,
  );

  it('is right does not report it', async () => {
    const test = await TestPeel.start(fleet, await addCreds(fleet, admin, 'right-1'));
    await test.event('renewed', 2, 30_000);
    expect(test.of('clockOff')).toEqual([]);
  });
});

import { beforeAll, describe, expect, it } from 'vitest';
import { loadCredsFile } from '../../../src/creds/parse.js';
import type { AdminClient } from '../../../src/fleet/ask.js';
import { startFleet, type Fleet } from './fleet.js';
import { addCreds, TestPeel } from './peels.js';

let fleet: Fleet;
let admin: AdminClient;
beforeAll(async () => {
  fleet = await startFleet();
  admin = await fleet.admin();
});

describe('a rotation', () => {
  it('that the peel begins replaces its key, in the file and on the connection, and the old one has had its time', async () => {
    const test = await TestPeel.start(fleet, await addCreds(fleet, admin, 'own-1'));
    const old = test.peel.credentials.publicKey;
    await fleet.record('own-1', ({ state }) => state === 'active');
    const publicKey = await test.peel.rotate();
    expect(publicKey).not.toBe(old);
    expect((await loadCredsFile(test.credsPath)).publicKey).toBe(publicKey);
    expect(await test.event('keyRotated')).toMatchObject({ publicKey, replaces: old });
    const record = await fleet.record('own-1', ({ keys }) => keys.at(-1)?.state === 'live');
    expect(record.keys.map((key) => key.publicKey)).toEqual([old, publicKey]);
    expect(record.keys[0]?.state).not.toBe('live');
    expect(test.of('disconnected')).toEqual([]);
  });
});

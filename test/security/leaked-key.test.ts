// What a thief of the peel signing key gains, and how to stop it. The drill prints how long each connection lasted, by
// the server's events; no assertion depends on it.
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { writeCredsFile } from '../../src/creds/generate.js';
import { loadCredsFile } from '../../src/creds/parse.js';
import { createUserJwt } from '../../src/jwt/user.js';
import { generateKeyBundle } from '../../src/nkeys/key-bundle.js';
import { peelUserJwtOptions } from '../../src/permissions/roles.js';
import { connectSystem } from '../../src/system-account/system-connection.js';
import { zester } from '../cli/run-zester.js';
import { startFleet, type Fleet } from '../integration/fleet/fleet.js';
import { addCreds, TestPeel } from '../integration/fleet/peels.js';
import { atEnd } from '../support/cleanup.js';
import { waitFor } from '../support/wait-for.js';

let fleet: Fleet;
let peel: TestPeel;
/** By public key, from the server's events, in milliseconds since 1970. */
const seen = new Map<string, { connected: number; ended?: number }>();
beforeAll(async () => {
  fleet = await startFleet({ policy: 'manual', lifetime: 3_600 });
  const system = await connectSystem(await fleet.home.domain(), { servers: fleet.servers });
  atEnd(() => system.close());
  system.subscribe('$SYS.ACCOUNT.*.CONNECT', { callback: (_error, msg) => note(msg.json()) });
  system.subscribe('$SYS.ACCOUNT.*.DISCONNECT', { callback: (_error, msg) => note(msg.json()) });
  await system.flush();
  peel = await TestPeel.start(fleet, await addCreds(fleet, await fleet.admin(), 'web-01'));
  await fleet.record('web-01', ({ keys }) => keys.some(({ state }) => state === 'live'));
});

interface ConnectionEvent {
  client: { user?: string; start: string; stop?: string };
}

function note({ client: { user = '', start, stop } }: ConnectionEvent): void {
  seen.set(user, { connected: Date.parse(start), ...(stop !== undefined && { ended: Date.parse(stop) }) });
}

/** Connects with a credential signed by a thief of the key. */
async function intrude(name: string, aheadSeconds = 0): Promise<{ nc: NatsConnection; publicKey: string }> {
  const domain = await fleet.home.domain();
  const signer = await domain.peelSigner();
  const user = generateKeyBundle('user');
  const now = () => Date.now() + aheadSeconds * 1000;
  const options = peelUserJwtOptions('any', domain.publicKeys.account, { scoped: true, expiry: 3_600, now });
  const path = join(fleet.home.dir, `${user.publicKey}.creds`);
  await writeCredsFile(path, createUserJwt(user, signer, { ...options, name }), user.seed);
  signer.wipe();
  const creds = await loadCredsFile(path);
  const nc = await connect({ servers: fleet.servers, ...creds.natsOption(), reconnect: false });
  atEnd(() => nc.close());
  return { nc, publicKey: user.publicKey };
}

const printed = (what: string, words: string) =>
  void process.stdout.write(`leaked peel signing key: ${what}: ${words}\n`);

describe('a thief of the peel signing key', () => {
  it.each([
    ['the name "*"', '*', 0, 'ERR_PEEL_ID'],
    ['the name ">"', '>', 0, 'ERR_PEEL_ID'],
    ['the name of a master', 'zester-master', 0, 'ERR_PEEL_ID'],
    ['the name of an admin', '_zester-admin-alice', 0, 'ERR_PEEL_ID'],
    ['the ID of a peel, with a key of its own', 'web-01', 0, 'ERR_FLEET_ID_TAKEN'],
    ['an issue time in an hour', 'web-02', 3_600, 'ERR_FLEET_ISSUED_AHEAD'],
    ['the ID of a peel, with an issue time in an hour', 'web-01', 3_600, 'ERR_FLEET_ISSUED_AHEAD'],
  ])('that mints %s is cut, locked out and audited', async (what, name, ahead, code) => {
    const { nc, publicKey } = await intrude(name, ahead);
    await nc.closed();
    const event = await fleet.audited('connection.refused', (one) => one.publicKey === publicKey);
    expect(event.code).toBe(code);
    const { connected, ended } = await waitFor('the server to say that it ended', () => {
      const times = seen.get(publicKey);
      return times?.ended === undefined ? undefined : { ...times, ended: times.ended };
    });
    printed(what, `cut after ${ended - connected} ms, audited after ${Date.parse(event.at) - connected} ms`);
    const upTo = await waitFor('its revocation in the home', async () => {
      const { accountClaims } = await fleet.home.domain();
      return accountClaims.nats.revocations?.[publicKey];
    });
    expect(upTo).toBeGreaterThanOrEqual(Math.floor(Date.now() / 1000) + ahead - 60);
  });

  it('that mints an unknown ID waits for an admin, who is notified, and can only act as itself', async () => {
    const { nc, publicKey } = await intrude('unknown-1');
    const event = await fleet.audited('peel.appeared', ({ peelId }) => peelId === 'unknown-1');
    const { connected } = await waitFor('the server to say that it connected', () => seen.get(publicKey));
    printed('an unknown ID', `audited after ${Date.parse(event.at) - connected} ms, pending`);
    expect(await fleet.record('unknown-1', () => true)).toMatchObject({ state: 'pending' });
    const at = ['--home', fleet.home.home, '--servers', ...fleet.servers];
    const rejected = await zester(['peel', 'reject', 'unknown-1', '--yes', ...at]);
    expect(rejected.code, rejected.stderr).toBe(0);
    await nc.closed();
  });

  it('that mints an unknown ID differs from a home that issues one by the list of that home', async () => {
    const { publicKey: forged } = await intrude('unknown-3');
    const { path, publicKey: issued } = await fleet.home.issue('offline-1');
    await fleet.home.peel('offline-1', path);
    const at = ['--home', fleet.home.home, '--servers', ...fleet.servers];
    const listed = await waitFor('both to be pending', async () => {
      const columns = ['--columns', 'id,origin,key'];
      const { stdout } = await zester(['peel', 'list', '--state', 'pending', ...columns, ...at]);
      return stdout.includes(forged) && stdout.includes(issued) && stdout;
    });
    for (const key of [forged, issued]) expect(listed).toMatch(new RegExp(`its own credentials +${key}`));
    const own = await readFile(join(fleet.home.home, 'issued.ndjson'), 'utf8');
    expect([own.includes(issued), own.includes(forged)]).toEqual([true, false]);
    for (const id of ['unknown-3', 'offline-1'])
      expect((await zester(['peel', 'reject', id, '--yes', ...at])).code).toBe(0);
  });

  it('gets nothing more once the key is rotated, and its minted users are cut, named and refused', async () => {
    const { nc, publicKey } = await intrude('unknown-2');
    await fleet.audited('peel.appeared', ({ peelId }) => peelId === 'unknown-2');
    const { publicKeys } = await fleet.home.domain();
    const at = ['--home', fleet.home.home, '--servers', ...fleet.servers];
    const signer = await (await fleet.home.domain()).peelSigner();
    const rotated = await zester(['keys', 'rotate', 'peel-signing', '--yes', '--json', ...at]);
    expect(rotated.code, rotated.stderr).toBe(0);
    expect(JSON.parse(rotated.stdout)).toMatchObject({
      ...{ from: publicKeys.peelSigning, removed: true, renewed: 1, cut: [] },
      strangers: [{ name: 'unknown-2', publicKey }],
    });
    await nc.closed();
    // the thief still has the key
    const user = generateKeyBundle('user');
    const options = peelUserJwtOptions('web-03', publicKeys.account, { scoped: true });
    const path = join(fleet.home.dir, 'late.creds');
    await writeCredsFile(path, createUserJwt(user, signer, options), user.seed);
    signer.wipe();
    const creds = await loadCredsFile(path);
    await expect(
      connect({ servers: fleet.servers, ...creds.natsOption(), reconnect: false }),
    ).rejects.toThrow(/authorization/i);
    expect(peel.of('disconnected'), peel.recentEvents.join('\n')).toEqual([]);
  });
});

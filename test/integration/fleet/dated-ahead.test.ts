import { connect, jwtAuthenticator, type NatsConnection } from '@nats-io/transport-node';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { writeCredsFile } from '../../../src/creds/generate.js';
import { loadCredsFile } from '../../../src/creds/parse.js';
import { newRequestId } from '../../../src/protocol/admin-client.js';
import { createUserJwt } from '../../../src/jwt/user.js';
import { revoke } from '../../../src/account/revoke.js';
import { generateKeyBundle } from '../../../src/nkeys/key-bundle.js';
import { peelUserJwtOptions } from '../../../src/permissions/roles.js';
import { forge } from '../../jwt/forge.js';
import { contextOf } from '../../../src/master/context-of.js';
import { atEnd } from '../../support/cleanup.js';
import { waitFor } from '../../support/wait-for.js';
import { startFleet, type Fleet } from './fleet.js';
import { addCreds, TestPeel } from './peels.js';

/** Credentials that a thief of the peel signing key, or a clock that is ahead, signed. */
async function forged(fleet: Fleet, name: string, aheadSeconds: number, user = generateKeyBundle('user')) {
  const domain = await fleet.home.domain();
  const signer = await domain.peelSigner();
  const jwt = createUserJwt(user, signer, {
    ...peelUserJwtOptions('any', domain.publicKeys.account, {
      scoped: true,
      expiry: aheadSeconds + 3_600,
      now: () => Date.now() + aheadSeconds * 1000,
    }),
    name,
  });
  signer.wipe();
  const path = join(fleet.home.dir, `forged-${user.publicKey.slice(1, 9)}-${aheadSeconds}.creds`);
  await writeCredsFile(path, jwt, user.seed);
  return { path, publicKey: user.publicKey, user };
}

async function isOut(fleet: Fleet, path: string, peelId: string): Promise<void> {
  await waitFor(`${peelId} to be refused`, async () => {
    return !(await fleet.home.letsIn(path, peelId, fleet.home.node(0).url));
  });
}

/** Connects with a client that ignores the name, and does not reconnect. */
async function connectRaw(fleet: Fleet, path: string): Promise<NatsConnection> {
  const creds = await loadCredsFile(path);
  const nc = await connect({ servers: fleet.servers, ...creds.natsOption(), reconnect: false });
  atEnd(() => nc.close());
  return nc;
}

describe('a connection whose JWT is dated ahead', () => {
  it.each([
    ['a year', 366 * 86_400, 'web-01', 'ERR_FLEET_ISSUED_AHEAD'],
    ['an hour, under a name that no peel may have', 3_600, '*', 'ERR_PEEL_ID'],
  ])('by %s is cut, stays out, and is in the audit', async (_what, ahead, name, code) => {
    const fleet = await startFleet({ policy: 'auto-trusted' });
    const { path, publicKey } = await forged(fleet, name, ahead);
    const nc = await connectRaw(fleet, path);
    await nc.closed();
    await isOut(fleet, path, 'web-01');
    const event = await fleet.audited('connection.refused', (e) => e.publicKey === publicKey);
    expect(event.code).toBe(code);
  });

  it.each([
    [
      'the latest time that servers know',
      (text: string) => text.replace(/"iat":\d+/, '"iat":9223372036854775807'),
    ],
    [
      'a name that is half a character',
      (text: string) => text.replace(/}$/, String.raw`,"\ud800":1,"Name":"*"}`),
    ],
    ['the subject repeated as null', (text: string) => text.replace(/}$/, ',"Sub":null}')],
  ])('and has %s is cut and stays out, and the master keeps running', async (_what, change) => {
    const fleet = await startFleet({ policy: 'auto-trusted' });
    const { path, publicKey, user } = await forged(fleet, 'web-01', 3_600);
    const signer = await (await fleet.home.domain()).peelSigner();
    const jwt = forge(change(JSON.stringify((await loadCredsFile(path)).claims)), signer);
    const authenticator = jwtAuthenticator(jwt, user.seed);
    const nc = await connect({ servers: fleet.servers, authenticator, reconnect: false });
    atEnd(() => nc.close());
    await nc.closed();
    await fleet.audited('connection.refused', (event) => event.publicKey === publicKey);
    await waitFor('the credential to be refused', async () => {
      const again = await connect({ servers: fleet.servers, authenticator, reconnect: false }).catch(
        () => undefined,
      );
      await again?.close();
      return again === undefined;
    });
    await expect((await fleet.admin()).ask('status', {})).resolves.toBeDefined();
  });

  it('with a known key but a JWT that the registry does not know is cut', async () => {
    const fleet = await startFleet();
    const admin = await fleet.admin();
    const user = generateKeyBundle('user');
    const request = { requestId: newRequestId(), peelId: 'web-01', publicKey: user.publicKey };
    await admin.ask('peel.add', request);
    const { path } = await forged(fleet, 'web-01', 3_600, user);
    const { cut } = await fleet.home.peel('web-01', path);
    await cut;
    await isOut(fleet, path, 'web-01');
  });

  it('from a master whose clock is ahead is admitted, and locked out by "peel revoke" like any other', async () => {
    const fleet = await startFleet({ now: () => Date.now() + 600_000 });
    const admin = await fleet.admin();
    const path = await addCreds(fleet, admin, 'web-01');
    const peel = await TestPeel.start(fleet, path);
    await fleet.record('web-01', ({ state }) => state === 'active');
    // another master takes over, with a right clock
    const fast = fleet.master;
    const right = await fleet.startMaster();
    await fast.stop();
    await waitFor('the other to watch', () => right.watching);
    await fleet.record('web-01', ({ state }) => state === 'active', right);
    expect(peel.of('disconnected')).toEqual([]);
    expect(await fleet.home.letsIn(path, 'web-01', fleet.home.node(0).url)).toBe(true);

    const { revoked } = await admin.ask('peel.revoke', { peelId: 'web-01' });
    expect(revoked).toHaveLength(1);
    await isOut(fleet, path, 'web-01');
  });

  it('is locked out by "peel reject" when it is pending', async () => {
    const fleet = await startFleet({ policy: 'manual' });
    const admin = await fleet.admin();
    const { path } = await forged(fleet, 'web-01', 100);
    const { cut } = await fleet.home.peel('web-01', path);
    await fleet.record('web-01', ({ state }) => state === 'pending');
    await admin.ask('peel.reject', { peelId: 'web-01' });
    await cut;
    await isOut(fleet, path, 'web-01');
  });
});

describe('a renewal', () => {
  it('is refused to a key that the account JWT revokes, even if the registry does not', async () => {
    const fleet = await startFleet();
    const admin = await fleet.admin();
    const path = await addCreds(fleet, admin, 'web-01');
    const { publicKey } = await loadCredsFile(path);
    await revoke(fleet.home.home, { publicKey }, fleet.home.options);
    await contextOf(fleet.master).trust.reload();
    const again = { requestId: newRequestId(), peelId: 'web-01', publicKey, replace: true };
    const error = await admin.ask('peel.add', again).catch((cause: unknown) => cause);
    expect(['ERR_FLEET_REVOKED', 'ERR_FLEET_STATE']).toContain((error as { code?: string }).code);
  });

  it('issues a JWT that is newer than a revocation of everyone in the same second', async () => {
    const fleet = await startFleet();
    await revoke(fleet.home.home, { issuedBefore: Date.now() }, fleet.home.options);
    await contextOf(fleet.master).trust.reload();
    // its credentials and the master's were replaced
    const admin = await fleet.admin();
    await waitFor('the master to be back', () => admin.ask('status', {}).catch(() => undefined));
    const path = await addCreds(fleet, admin, 'web-01');
    expect(await fleet.home.letsIn(path, 'web-01', fleet.home.node(0).url)).toBe(true);
  });
});

import { connect } from '@nats-io/transport-node';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { writeCredsFile } from '../../../src/creds/generate.js';
import { loadCredsFile } from '../../../src/creds/parse.js';
import { isRevoked } from '../../../src/jwt/chain.js';
import { createUserJwt, type UserJwtOptions } from '../../../src/jwt/user.js';
import {
  addAccountSigningKey,
  removeAccountSigningKey,
  useAccountSigningKey,
} from '../../../src/account/rotate-keys.js';
import { generateKeyBundle, type KeyBundle } from '../../../src/nkeys/key-bundle.js';
import { masterUserJwtOptions, peelUserJwtOptions } from '../../../src/permissions/roles.js';
import { revoke } from '../../../src/account/revoke.js';
import { contextOf } from '../../../src/master/context-of.js';
import { atEnd } from '../../support/cleanup.js';
import { watchCuts } from '../../support/cuts.js';
import { waitFor } from '../../support/wait-for.js';
import { startFleet, type Fleet } from './fleet.js';
import { forcedRemoval } from '../../support/forced-removal.js';

/** Credentials with any name, signed by a key of the home. */
async function credentials(
  fleet: Fleet,
  signer: KeyBundle,
  options: Omit<UserJwtOptions, 'issuerAccount'>,
): Promise<{ path: string; publicKey: string }> {
  const user = generateKeyBundle('user');
  const path = join(fleet.home.dir, `${user.publicKey}.creds`);
  const { publicKeys } = await fleet.home.domain();
  await writeCredsFile(
    path,
    createUserJwt(user, signer, { issuerAccount: publicKeys.account, ...options }),
    user.seed,
  );
  return { path, publicKey: user.publicKey };
}

async function peelSigner(fleet: Fleet): Promise<KeyBundle> {
  return (await fleet.home.domain()).peelSigner();
}

/** Waits until the home's account has a revocation that covers the key. */
async function revoked(fleet: Fleet, publicKey: string): Promise<void> {
  await waitFor(`${publicKey} to be revoked`, async () => {
    const { accountClaims } = await fleet.home.domain();
    return isRevoked(accountClaims.nats.revocations ?? {}, publicKey, 0);
  });
}

describe('a peel that was bootstrapped with the home alone', () => {
  it('is pending under the policy manual, as reported by its server, until an admin accepts it', async () => {
    const fleet = await startFleet({ policy: 'manual' });
    const { path, publicKey } = await fleet.home.issue('web-1', 3_600);
    const { nc } = await fleet.home.peel('web-1', path);
    const record = await fleet.record('web-1', ({ state }) => state === 'pending');
    expect(record.keys).toMatchObject([{ publicKey, state: 'live' }]);
    expect(await fleet.audited('peel.appeared')).toMatchObject({
      peelId: 'web-1',
      from: expect.stringContaining('127.0.0.1'),
    });
    expect(nc.isClosed()).toBe(false);
  });

  it('is active under auto-trusted, since our own key signed it', async () => {
    const fleet = await startFleet({ policy: 'auto-trusted' });
    const { path } = await fleet.home.issue('web-1', 3_600);
    await fleet.home.peel('web-1', path);
    const record = await fleet.record('web-1', ({ state }) => state === 'active');
    expect(record.decided?.by).toEqual({ kind: 'policy', name: 'auto-trusted' });
  });

  it('waits under auto-trusted when another key of the account signed it, and is active under auto-all', async () => {
    for (const [policy, state] of [
      ['auto-trusted', 'pending'],
      ['auto-all', 'active'],
    ] as const) {
      const fleet = await startFleet({ policy });
      const { account } = (await fleet.home.domain()).publicKeys;
      const signer = await (await fleet.home.domain()).accountKey();
      const { path } = await credentials(
        fleet,
        signer,
        peelUserJwtOptions('web-1', account, { expiry: 3_600 }),
      );
      await fleet.home.peel('web-1', path);
      await fleet.record('web-1', (record) => record.state === state);
    }
  });

  it('is detected even if it connected before the master started, and so is its disconnect', async () => {
    const fleet = await startFleet({ policy: 'auto-trusted' });
    await fleet.master.stop();
    const { path } = await fleet.home.issue('web-1', 3_600);
    const { nc } = await fleet.home.peel('web-1', path);
    const master = await fleet.startMaster({ policy: 'auto-trusted' });
    await fleet.record('web-1', ({ state }) => state === 'active', master);
    const connections = () => contextOf(master).presence.get('web-1')?.connections.length;
    await waitFor('its connection to be counted', () => connections() === 1);
    await nc.close();
    await waitFor('its disconnect to be counted', () => connections() === 0);
  });
});

describe('a connection that a master refuses is cut and audited, and its key revoked', () => {
  it('an id that is not one token', async () => {
    const fleet = await startFleet({ policy: 'auto-all' });
    for (const name of ['*', 'web.db', '_zester', 'zester-master']) {
      const { path, publicKey } = await credentials(fleet, await peelSigner(fleet), { name, scoped: true });
      const nc = await connectAs(fleet, path);
      expect(
        await fleet.audited('connection.refused', (event) => event.publicKey === publicKey),
      ).toMatchObject({
        code: 'ERR_PEEL_ID',
      });
      await nc.cut;
      await revoked(fleet, publicKey);
    }
    expect(contextOf(fleet.master).registry.size).toBe(0);
  });

  it('a second live key for one id; the first one stays', async () => {
    const fleet = await startFleet({ policy: 'auto-trusted' });
    const first = await fleet.home.issue('web-1', 3_600);
    const good = await fleet.home.peel('web-1', first.path);
    await fleet.record('web-1', ({ state }) => state === 'active');
    const second = await fleet.home.issue('web-1', 3_600);
    const { cut } = await fleet.home.peel('web-1', second.path);
    await cut;
    expect(await fleet.audited('connection.refused')).toMatchObject({
      code: 'ERR_FLEET_ID_TAKEN',
      peelId: 'web-1',
      publicKey: second.publicKey,
    });
    await revoked(fleet, second.publicKey);
    expect(good.cuts()).toBe(0);
    expect(contextOf(fleet.master).registry.get('web-1')?.keys).toMatchObject([
      { publicKey: first.publicKey, state: 'live' },
    ]);
  });

  it('a revoked peel whose server lacks the revocation', async () => {
    const fleet = await startFleet({ policy: 'auto-trusted' });
    const { path, publicKey } = await fleet.home.issue('web-1', 3_600);
    // revoked in the home, but not on any server
    await revoke(fleet.home.home, { publicKey }, { servers: false });
    const { cut } = await fleet.home.peel('web-1', path);
    await cut;
    expect(await fleet.audited('connection.refused')).toMatchObject({
      code: 'ERR_CHAIN_USER_REVOKED',
      publicKey,
    });
  });

  it('an invalid chain: its signing key was removed from the account, but the server does not know', async () => {
    const fleet = await startFleet({ policy: 'auto-trusted' });
    const { home } = fleet.home;
    const old = (await fleet.home.domain()).publicKeys.peelSigning;
    const { path, publicKey } = await fleet.home.issue('web-1', 3_600);
    const added = await addAccountSigningKey(home, 'peel-signing', fleet.home.options);
    await useAccountSigningKey(home, added.publicKey);
    await removeAccountSigningKey(home, old, forcedRemoval(old), { servers: false });
    const { cut } = await fleet.home.peel('web-1', path);
    await cut;
    expect(await fleet.audited('connection.refused')).toMatchObject({
      code: 'ERR_CHAIN_USER_ISSUER',
      publicKey,
    });
  });

  it('another user of the account is left alone', async () => {
    const fleet = await startFleet({ policy: 'auto-all' });
    const signer = await (await fleet.home.domain()).accountKey();
    const { account } = (await fleet.home.domain()).publicKeys;
    const other = await credentials(fleet, signer, { name: 'billing' });
    const secondMaster = await credentials(fleet, signer, masterUserJwtOptions(account));
    const connections = [await connectAs(fleet, other.path), await connectAs(fleet, secondMaster.path)];
    // later connections have been judged, so these have been, too
    const { path } = await fleet.home.issue('web-1', 3_600);
    await fleet.home.peel('web-1', path);
    await fleet.record('web-1', ({ state }) => state === 'active');
    expect(connections.map(({ cuts }) => cuts())).toEqual([0, 0]);
    expect(contextOf(fleet.master).registry.size).toBe(1);
  });
});

describe('the registry and the audit log agree', () => {
  it('replaying the audit log gives the records', async () => {
    const fleet = await startFleet({ policy: 'auto-trusted' });
    for (const id of ['web-1', 'web-2', 'web-3']) {
      const { path } = await fleet.home.issue(id, 3_600);
      await fleet.home.peel(id, path);
      await fleet.record(id, ({ state }) => state === 'active');
    }
    const by = { kind: 'admin', name: 'test' } as const;
    const upTo = Math.floor(Date.now() / 1000);
    await contextOf(fleet.master).registry.decide('web-2', () => ({
      change: { kind: 'peel.revoked', upTo },
      by,
    }));
    await fleet.record('web-2', ({ keys }) => keys.every(({ state }) => state === 'revoked'));
    await waitFor('the audit to be complete', async () => {
      const folded = await fleet.folded();
      return [...contextOf(fleet.master).registry.records()].every(
        (record) => folded.get(record.id)?.number === record.number,
      );
    });
    const folded = await fleet.folded();
    for (const record of contextOf(fleet.master).registry.records())
      expect(folded.get(record.id)).toEqual(record);
  });

  it('a revocation by "zester revoke" without a master reaches the registry', async () => {
    const fleet = await startFleet({ policy: 'auto-trusted' });
    const { path } = await fleet.home.issue('web-1', 3_600);
    const { cut } = await fleet.home.peel('web-1', path);
    await fleet.record('web-1', ({ state }) => state === 'active');
    await revoke(fleet.home.home, { peelId: 'web-1' }, fleet.home.options);
    await cut;
    const record = await fleet.record(
      'web-1',
      ({ state, keys }) => state === 'revoked' && keys[0]?.state === 'revoked',
    );
    expect(record.decided?.reason).toBe('revoked in the account JWT');
  });
});

/** A connection with any name; `cut` resolves when it is first disconnected. */
async function connectAs(fleet: Fleet, credsPath: string) {
  const creds = await loadCredsFile(credsPath);
  const nc = await connect({ ...creds.natsOption(), servers: fleet.servers, reconnectTimeWait: 50 });
  atEnd(() => nc.close());
  return { nc, ...watchCuts(nc) };
}

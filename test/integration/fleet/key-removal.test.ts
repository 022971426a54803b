import { describe, expect, it } from 'vitest';
import { zester } from '../../cli/run-zester.js';
import { addAccountSigningKey } from '../../../src/account/rotate-keys.js';
import type { AccountClaims } from '../../../src/jwt/claims.js';
import { resignAccountJwt } from '../../../src/jwt/resign.js';
import { connectSystem } from '../../../src/system-account/system-connection.js';
import { generateKeyBundle } from '../../../src/nkeys/key-bundle.js';
import { contextOf } from '../../../src/master/context-of.js';
import { waitFor } from '../../support/wait-for.js';
import { startFleet, startFleetCluster, type Fleet } from './fleet.js';
import { addCreds } from './peels.js';
import { readAudit } from '../../../src/master/audit/read-audit.js';

const at = (fleet: Fleet) => ['--home', fleet.home.home, '--servers', ...fleet.servers];

/** Peels of a replaced signing key, and one peel of the new key. */
async function rotated(fleet: Fleet, count: number) {
  const admin = await fleet.admin();
  const ids = Array.from({ length: count }, (_, i) => `web-${i}`);
  const old = (await fleet.home.domain()).publicKeys.peelSigning;
  const paths = new Map<string, string>();
  const peels = [];
  for (const id of ids) {
    paths.set(id, await addCreds(fleet, admin, id));
    peels.push(await fleet.home.peel(id, paths.get(id) ?? ''));
  }
  for (const id of ids) await fleet.record(id, ({ keys }) => keys[0]?.state === 'live');
  const { publicKey } = await addAccountSigningKey(fleet.home.home, 'peel-signing', fleet.home.options);
  await waitFor('the master to sign with the new key', async () => {
    await contextOf(fleet.master).trust.reload();
    return contextOf(fleet.master).trust.domain.publicKeys.peelSigning === publicKey;
  });
  const fresh = await fleet.home.peel('new-1', await addCreds(fleet, admin, 'new-1'));
  await fleet.record('new-1', ({ keys }) => keys[0]?.state === 'live');
  return { old, peels, paths, fresh };
}

/** Pushes like another tool: re-signed, with unchanged tags. */
async function pushRaw(fleet: Fleet, signingKeys: AccountClaims['nats']['signing_keys']): Promise<void> {
  const domain = await fleet.home.domain();
  const signer = await domain.operatorSigningKey();
  const jwt = resignAccountJwt(
    domain.accountJwt,
    signer,
    (claims) => ({ ...claims, nats: { ...claims.nats, ...(signingKeys && { signing_keys: signingKeys }) } }),
    { now: () => Math.max(Date.now(), (domain.accountClaims.iat + 2) * 1000) },
  );
  signer.wipe();
  const nc = await connectSystem(domain, { servers: fleet.servers });
  await nc.request('$SYS.REQ.CLAIMS.UPDATE', jwt, { timeout: 3_000 });
  await nc.close();
}

describe('removing a signing key under a living fleet', () => {
  it.each([3, 6])(
    'of %i peels is refused; with --force, it cuts them and revokes no key',
    async (count) => {
      const fleet = await startFleet();
      const { old, peels, paths, fresh } = await rotated(fleet, count);

      const refused = await zester(['keys', 'remove', old, '--yes', ...at(fleet)]);
      expect(refused.code).toBe(1);
      expect(refused.stderr).toContain(
        `${count} valid credentials depend on ${old}, ${count} of them connected`,
      );
      for (const { cuts } of peels) expect(cuts()).toBe(0);

      const removed = await zester(['keys', 'remove', old, '--yes', '--force', ...at(fleet)]);
      expect(removed.code, removed.stderr).toBe(0);
      expect(removed.stderr).toContain(`${count} valid credentials depend on ${old}`);
      const { url } = fleet.home.node(0);
      for (const [id, path] of paths) expect(await fleet.home.letsIn(path, id, url)).toBe(false);
      for (const { cuts } of peels) expect(cuts()).toBeGreaterThan(0);
      expect(fresh.cuts()).toBe(0);
      const { by, detail } = await fleet.audited('signing-key.removed');
      expect([by.name, detail]).toEqual([
        'zester keys remove',
        { forced: true, valid: count, connected: count },
      ]);

      // the servers close the connections: no key must be revoked, and the breaker has nothing to hold
      await waitFor('the master to have seen them go', () =>
        [...paths.keys()].every(
          (id) => (contextOf(fleet.master).presence.get(id)?.connections.length ?? 0) === 0,
        ),
      );
      const kinds = (await fleet.audit()).map(({ kind }) => kind);
      for (const kind of ['revocations.held', 'connection.refused', 'key.revoking', 'peel.revoked']) {
        expect(kinds).not.toContain(kind);
      }
      expect((await fleet.home.domain()).accountClaims.nats.revocations ?? {}).toEqual({});

      // again: it is already removed everywhere, which is reported
      const again = await zester(['keys', 'remove', old, '--yes', '--force', ...at(fleet)]);
      expect(again.code, again.stderr).toBe(0);
      const never = await zester([
        'keys',
        'remove',
        generateKeyBundle('account').publicKey,
        '--yes',
        '--force',
        ...at(fleet),
      ]);
      expect(never.code).toBe(1);
    },
    60_000,
  );

  it('with a node down exits with 4, names it, and is completed by the same command later', async () => {
    const fleet = await startFleetCluster();
    await fleet.startMaster();
    const { old, paths } = await rotated(fleet, 2);
    await fleet.home.node(2).stop();
    const partly = await zester(['keys', 'remove', old, '--yes', '--force', ...at(fleet)]);
    expect(partly.code).toBe(4);
    expect(partly.stderr).toContain('not reached: n3');
    for (const [id, path] of paths) {
      expect(await fleet.home.letsIn(path, id, fleet.home.node(0).url)).toBe(false);
    }
    await fleet.home.node(2).start();
    await fleet.home.whole();
    const whole = await zester(['keys', 'remove', old, '--yes', '--force', ...at(fleet)]);
    expect(whole.code, whole.stderr).toBe(0);
    for (const [id, path] of paths) {
      expect(await fleet.home.letsIn(path, id, fleet.home.node(2).url)).toBe(false);
    }
  }, 90_000);
});

describe('giving up a signing key that another tool removed', () => {
  it('is refused while valid credentials depend on it, and audited with --force', async () => {
    const fleet = await startFleet();
    const { old } = await rotated(fleet, 2);
    await fleet.master.stop();
    const { accountClaims } = await fleet.home.domain();
    const left = (accountClaims.nats.signing_keys ?? []).filter(
      (key) => (typeof key === 'string' ? key : key.key) !== old,
    );
    await pushRaw(fleet, left);
    const push = ['account', 'push', '--accept-removals', '--yes', ...at(fleet)];
    const refused = await zester(push);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(`this gives up the signing key ${old}`);
    expect(refused.stderr).toContain(`2 valid credentials depend on ${old}`);
    const forced = await zester([...push, '--force']);
    expect(forced.code, forced.stderr).toBe(0);
    await fleet.startMaster();
    const [, master] = fleet.masters;
    const events = [];
    for await (const event of master === undefined ? [] : readAudit(contextOf(master).store))
      events.push(event);
    expect(events.find(({ kind }) => kind === 'signing-key.removed')).toMatchObject({
      publicKey: old,
      detail: { forced: true, valid: 2 },
    });
  }, 60_000);
});

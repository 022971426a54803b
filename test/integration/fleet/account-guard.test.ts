import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { AccountClaims } from '../../../src/jwt/claims.js';
import { resignAccountJwt } from '../../../src/jwt/resign.js';
import { pushAccount, showAccount } from '../../../src/account/check-account.js';
import { changeAccount, withOpenHome } from '../../../src/account/change-account.js';
import { clearRevocations, revoke } from '../../../src/account/revoke.js';
import { addAccountSigningKey, removeAccountSigningKey } from '../../../src/account/rotate-keys.js';
import { connectSystem } from '../../../src/system-account/system-connection.js';
import { generateKeyBundle } from '../../../src/nkeys/key-bundle.js';
import { openTrustDomain } from '../../../src/trust/open.js';
import { withoutRevocations } from '../../../src/jwt/revocations.js';
import { waitFor } from '../../support/wait-for.js';
import type { HomeWithServers } from '../trust/support.js';
import { startFleet, type Fleet } from './fleet.js';
import { addCreds } from './peels.js';
import { forcedRemoval } from '../../support/forced-removal.js';

/** Does what `nsc edit account` and `nsc push` do with an account JWT: re-signs it, with unchanged tags. */
async function pushAs(
  fleet: HomeWithServers,
  accountJwt: string,
  change: (claims: AccountClaims) => AccountClaims,
): Promise<void> {
  const domain = await fleet.domain();
  const signer = await domain.operatorSigningKey();
  const newer = Math.max(Date.now(), (domain.accountClaims.iat + 2) * 1000);
  const jwt = resignAccountJwt(accountJwt, signer, change, { now: () => newer });
  signer.wipe();
  const nc = await connectSystem(domain, { servers: fleet.servers });
  try {
    const answer = await nc.request('$SYS.REQ.CLAIMS.UPDATE', jwt, { timeout: 3_000 });
    expect(answer.json<{ data?: { code?: number } }>().data?.code).toBe(200);
  } finally {
    await nc.close();
  }
}

const lost = (claims: AccountClaims): AccountClaims => ({
  ...claims,
  nats: { ...claims.nats, revocations: {}, signing_keys: [], limits: { ...claims.nats.limits, conn: 77 } },
});

async function isSynced(home: string, fleet: Fleet): Promise<void> {
  await waitFor('home and servers to agree', async () => {
    return (await showAccount(home, fleet.home.options)).inSync;
  });
}

describe('a running master, when another tool pushes an older state of the account', () => {
  it.each<[string, 'first' | 'current']>([
    ['the account as it was made', 'first'],
    ['the account as it is, stripped', 'current'],
  ])('restores revocations and signing keys of %s, audits it, and keeps the rest', async (_what, which) => {
    const fleet = await startFleet();
    const admin = await fleet.admin();
    const { accountJwt: first } = await fleet.home.domain();
    const good = await addCreds(fleet, admin, 'web-01');
    const bad = await addCreds(fleet, admin, 'web-02');
    await admin.ask('peel.revoke', { peelId: 'web-02' });
    const { accountJwt: current } = await fleet.home.domain();

    await pushAs(fleet.home, which === 'first' ? first : current, lost);

    const { url } = fleet.home.node(0);
    await waitFor('the lost parts to be restored', async () => {
      const [isIn, isOut] = [
        await fleet.home.letsIn(good, 'web-01', url),
        !(await fleet.home.letsIn(bad, 'web-02', url)),
      ];
      return isIn && isOut;
    });
    const { detail, reason } = await fleet.audited('account.restored');
    // of peels and join tokens, of masters, answers and admins
    expect(detail).toMatchObject({ signingKeys: 5, revocations: 1 });
    expect(reason).toContain('signing key');
    await isSynced(fleet.home.home, fleet);
    expect((await fleet.home.domain()).accountClaims.nats.limits?.['conn']).toBe(77);
  });

  it('does so from a copy of the home, and the home that was not there follows', async () => {
    const fleet = await startFleet();
    const peel = await fleet.home.issue('web-01');
    const copy = join(fleet.home.dir, 'copy');
    await cp(fleet.home.home, copy, { recursive: true });
    const { accountJwt } = await fleet.home.domain();
    await revoke(copy, { peelId: 'web-01' }, fleet.home.options);
    await isSynced(fleet.home.home, fleet);
    await pushAs(fleet.home, accountJwt, (claims) => claims);
    await fleet.audited('account.restored');
    expect(await fleet.home.letsIn(peel.path, 'web-01', fleet.home.node(0).url)).toBe(false);
  });
});

describe('a running master on a copy of the home', () => {
  async function onCopy(): Promise<{ fleet: Fleet; copy: string }> {
    const fleet = await startFleet();
    const copy = join(fleet.home.dir, 'copy');
    await cp(fleet.home.home, copy, { recursive: true });
    return { fleet, copy };
  }
  const keysOf = async (home: string) =>
    ((await openTrustDomain(home)).accountClaims.nats.signing_keys ?? []).map((key) =>
      typeof key === 'string' ? key : key.key,
    );

  it('does not bring back a signing key that the other home removed, nor does its copy later', async () => {
    const { fleet, copy } = await onCopy();
    const old = (await openTrustDomain(copy)).publicKeys.peelSigning;
    const { accountJwt: stale } = await fleet.home.domain();
    await addAccountSigningKey(copy, 'peel-signing', fleet.home.options);
    await removeAccountSigningKey(copy, old, forcedRemoval(old), fleet.home.options);
    await isSynced(fleet.home.home, fleet);
    expect(await keysOf(fleet.home.home)).not.toContain(old);
    expect(await keysOf(copy)).not.toContain(old);

    // nor from another tool that still has it
    await pushAs(fleet.home, stale, (claims) => claims);
    const { detail } = await fleet.audited('account.restored');
    expect(detail).toMatchObject({ returned: 1 });
    await isSynced(fleet.home.home, fleet);
    expect(await keysOf(fleet.home.home)).not.toContain(old);
    // nor does the account that the first home had
    await pushAccount(copy, fleet.home.options);
    expect(await keysOf(copy)).not.toContain(old);
  });

  it('does not bring back a revocation that the other home cleared', async () => {
    const { fleet, copy } = await onCopy();
    const { path } = await fleet.home.issue('web-01');
    await cp(join(fleet.home.home, 'issued.ndjson'), join(copy, 'issued.ndjson'));
    await revoke(copy, { peelId: 'web-01' }, fleet.home.options);
    await isSynced(fleet.home.home, fleet);
    await clearRevocations(copy, { peelId: 'web-01' }, fleet.home.options);
    await isSynced(fleet.home.home, fleet);
    expect(await fleet.home.letsIn(path, 'web-01', fleet.home.node(0).url)).toBe(true);
    expect((await fleet.audit()).filter(({ kind }) => kind === 'account.restored')).toEqual([]);
  });

  it.each<[string, (fleet: Fleet, copy: string, key: string) => Promise<unknown>]>([
    ['by ID', ({ home }, copy) => clearRevocations(copy, { peelId: 'web-01' }, home.options)],
    ['all of them', ({ home }, copy) => clearRevocations(copy, { all: true }, home.options)],
  ])('clears it again (%s) when another tool pushes a state that still has it', async (_what, clear) => {
    const { fleet, copy } = await onCopy();
    const { path, publicKey } = await fleet.home.issue('web-01');
    await cp(join(fleet.home.home, 'issued.ndjson'), join(copy, 'issued.ndjson'));
    await revoke(copy, { peelId: 'web-01' }, fleet.home.options);
    await isSynced(fleet.home.home, fleet);
    const { accountJwt: stale } = await fleet.home.domain();
    await clear(fleet, copy, publicKey);
    await isSynced(fleet.home.home, fleet);

    await pushAs(fleet.home, stale, (claims) => claims);
    const { detail, reason } = await fleet.audited('account.restored');
    expect(detail).toMatchObject({ returned: 1, revocations: 0 });
    expect(reason).toContain(`clearing of the revocation of ${publicKey}`);
    await isSynced(fleet.home.home, fleet);
    const { url } = fleet.home.node(0);
    expect(await fleet.home.letsIn(path, 'web-01', url)).toBe(true);

    // nor does the copy that cleared it, nor one that never knew of it
    await pushAccount(copy, fleet.home.options);
    expect(await fleet.home.letsIn(path, 'web-01', url)).toBe(true);
    // and it can be revoked again
    await revoke(copy, { peelId: 'web-01' }, fleet.home.options);
    await isSynced(fleet.home.home, fleet);
    expect(await fleet.home.letsIn(path, 'web-01', url)).toBe(false);
  });

  it('does not restore a revocation that the other home’s master pruned, regardless of push order', async () => {
    const { fleet, copy } = await onCopy();
    const other = await fleet.startMaster({ home: copy });
    const key = generateKeyBundle('user').publicKey;
    const [own, theirs] = [fleet.home.home, copy];
    await revoke(own, { publicKey: key }, fleet.home.options);
    await isSynced(own, fleet);
    await isSynced(theirs, fleet);
    // like a master that prunes: without a tombstone, in a JWT that succeeds the one that had it
    for (const [first, second] of [
      [own, theirs],
      [theirs, own],
    ] as const) {
      await withOpenHome(first, 'test', fleet.home.options, (open) =>
        changeAccount(open, (claims) => withoutRevocations(claims, (one) => one === key)),
      );
      await revoke(second, { publicKey: generateKeyBundle('user').publicKey }, fleet.home.options);
      await isSynced(own, fleet);
      await isSynced(theirs, fleet);
      for (const home of [own, theirs]) {
        expect((await openTrustDomain(home)).accountClaims.nats.revocations).not.toHaveProperty(key);
      }
      await revoke(second, { publicKey: key }, fleet.home.options);
      await isSynced(first, fleet);
    }
    expect((await fleet.audit()).filter(({ kind }) => kind === 'account.restored')).toEqual([]);
    void other;
  });
});

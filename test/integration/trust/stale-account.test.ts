import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bootstrapPeelCreds } from '../../../src/creds/bootstrap.js';
import type { AccountClaims } from '../../../src/jwt/claims.js';
import { decodeAccountJwt } from '../../../src/jwt/decode.js';
import { resignAccountJwt } from '../../../src/jwt/resign.js';
import { pushAccount, showAccount } from '../../../src/account/check-account.js';
import { examine } from '../../../src/doctor/examine.js';
import { setPeelTemplate } from '../../../src/account/permissions.js';
import { listRevocations, revoke } from '../../../src/account/revoke.js';
import { addAccountSigningKey } from '../../../src/account/rotate-keys.js';
import { connectSystem } from '../../../src/system-account/system-connection.js';
import { writeSecretFile } from '../../../src/files/write-secret-file.js';
import type { AccountLosses } from '../../../src/trust/account-jwt/merge-account.js';
import { forcedRemoval } from '../../support/forced-removal.js';
import { refusal } from '../../support/refusal.js';
import { startHome, type HomeWithServers } from './support.js';

async function resigned(
  fleet: HomeWithServers,
  jwt: string,
  change: (claims: AccountClaims) => AccountClaims,
): Promise<string> {
  const domain = await fleet.domain();
  const signer = await domain.operatorSigningKey();
  const now = () => Math.max(Date.now(), (domain.accountClaims.iat + 2) * 1000);
  try {
    return resignAccountJwt(jwt, signer, change, { now });
  } finally {
    signer.wipe();
  }
}

async function pushRaw(fleet: HomeWithServers, jwt: string): Promise<void> {
  const nc = await connectSystem(await fleet.domain(), { servers: fleet.servers });
  try {
    await nc.request('$SYS.REQ.CLAIMS.UPDATE', jwt, { timeout: 3_000 });
  } finally {
    await nc.close();
  }
}

/** A revoked and a valid peel; then the earlier account is pushed with a newer time, without signing keys. */
async function staleFleet() {
  const fleet = await startHome();
  const { accountJwt: before, publicKeys } = await fleet.domain();
  const good = await fleet.issue('web-01');
  const bad = await fleet.issue('web-02');
  await revoke(fleet.home, { peelId: 'web-02' }, fleet.options);
  const stale = await resigned(fleet, before, (claims) => ({
    ...claims,
    nats: { ...claims.nats, signing_keys: [] },
  }));
  await pushRaw(fleet, stale);
  return { fleet, good, bad, stale, publicKeys };
}

describe('an older account that another tool pushed under a newer time', () => {
  it('is an error in doctor, which reports the losses and the fix', async () => {
    const { fleet, bad, publicKeys } = await staleFleet();
    const { server } = await examine(fleet.home, { servers: fleet.servers });
    const finding = server.find(({ check }) => check === 'account');
    expect(finding?.severity).toBe('error');
    expect(finding?.message).toContain(bad.publicKey);
    expect(finding?.message).toContain(publicKeys.peelSigning);
    expect(finding?.fix).toContain('account push');
    const { lost } = await showAccount(fleet.home, fleet.options);
    expect(lost).toMatchObject({ by: 'servers', revocations: [bad.publicKey] });
  });

  it.each<[string, (fleet: HomeWithServers, onRestored: (lost: AccountLosses) => void) => Promise<unknown>]>([
    ['account push', ({ home, options }, onRestored) => pushAccount(home, { ...options, onRestored })],
    [
      'revoke',
      async (fleet, onRestored) =>
        revoke(
          fleet.home,
          { publicKey: (await fleet.issue('web-03')).publicKey },
          { ...fleet.options, onRestored },
        ),
    ],
    [
      'permissions set',
      ({ home, options }, onRestored) =>
        setPeelTemplate(home, (all) => ({ ...all }), { ...options, onRestored }),
    ],
    [
      'keys add',
      ({ home, options }, onRestored) =>
        addAccountSigningKey(home, 'peel-signing', { ...options, onRestored }),
    ],
  ])('is repaired and reported by "%s"', async (_what, act) => {
    const { fleet, good, bad, publicKeys } = await staleFleet();
    const losses: AccountLosses[] = [];
    await act(fleet, (lost) => losses.push(lost));
    expect(losses[0]?.revocations).toEqual([bad.publicKey]);
    expect(losses[0]?.signingKeys).toContain(publicKeys.peelSigning);
    const { url } = fleet.node(0);
    expect(await fleet.letsIn(good.path, 'web-01', url)).toBe(true);
    expect(await fleet.letsIn(bad.path, 'web-02', url)).toBe(false);
    expect((await showAccount(fleet.home, fleet.options)).inSync).toBe(true);
  });

  it('is kept as a copy, readable by its owner only', async () => {
    const { fleet, stale } = await staleFleet();
    const { accountJwt, paths } = await fleet.domain();
    await pushAccount(fleet.home, fleet.options);
    const names = await readdir(paths.replacedJwtDirectory);
    const kept = await Promise.all(
      names.map(async (name) => (await readFile(join(paths.replacedJwtDirectory, name), 'latin1')).trim()),
    );
    expect(kept.sort()).toEqual([accountJwt, stale].sort());
    for (const name of names) {
      expect((await stat(join(paths.replacedJwtDirectory, name))).mode & 0o777).toBe(0o600);
    }
  });

  it('is given up if the removal is accepted, and is not restored', async () => {
    const { fleet, bad, publicKeys } = await staleFleet();
    const { lost } = await showAccount(fleet.home, fleet.options);
    await refusal('ERR_TRUST_SIGNING_KEY', () =>
      pushAccount(fleet.home, { ...fleet.options, acceptRemovals: forcedRemoval() }),
    );
    const acceptRemovals = forcedRemoval(...lost.signingKeys);
    const { restored, claims } = await pushAccount(fleet.home, { ...fleet.options, acceptRemovals });
    expect(restored.revocations).toEqual([]);
    expect(claims.nats.signing_keys ?? []).toEqual([]);
    await pushAccount(fleet.home, fleet.options);
    expect(await listRevocations(fleet.home, fleet.options)).toEqual([]);
    const view = await showAccount(fleet.home, fleet.options);
    expect(view.inSync).toBe(true);
    void bad;
    const error = await refusal('ERR_TRUST_SIGNING_KEY', () => fleet.issue('web-09'));
    expect(error.message).toContain(publicKeys.peelSigning);
  });

  it('is repaired in the other direction: a home that a stale account was written into', async () => {
    const { fleet, good, bad, stale } = await staleFleet();
    await pushAccount(fleet.home, fleet.options);
    const { paths } = await fleet.domain();
    const newer = await resigned(fleet, stale, (claims) => claims);
    await writeSecretFile(paths.accountJwt, Buffer.from(`${newer}\n`));
    expect((await showAccount(fleet.home, fleet.options)).lost.by).toBe('home');
    await pushAccount(fleet.home, fleet.options);
    const { url } = fleet.node(0);
    expect(await fleet.letsIn(good.path, 'web-01', url)).toBe(true);
    expect(await fleet.letsIn(bad.path, 'web-02', url)).toBe(false);
  });
});

describe('a change that was made for the home only', () => {
  it('is not lost when the servers have moved on', async () => {
    const fleet = await startHome();
    const [one, two] = [await fleet.issue('web-01'), await fleet.issue('web-02')];
    const { accountJwt: before } = await fleet.domain();
    await revoke(fleet.home, { peelId: 'web-01' }, { servers: false });
    await pushRaw(fleet, await resigned(fleet, before, (claims) => claims));
    await revoke(fleet.home, { peelId: 'web-02' }, fleet.options);
    const { accountJwt } = await fleet.domain();
    expect(Object.keys(decodeAccountJwt(accountJwt).nats.revocations ?? {}).sort()).toEqual(
      [one.publicKey, two.publicKey].sort(),
    );
    for (const { path } of [one, two]) {
      expect(await fleet.letsIn(path, 'any', fleet.node(0).url)).toBe(false);
    }
  });
});

describe('issuing from a home whose account lost the signing key', () => {
  it('is refused, but credentials of another signer are not affected', async () => {
    const { fleet, stale } = await staleFleet();
    const { paths } = await fleet.domain();
    await writeSecretFile(paths.accountJwt, Buffer.from(`${stale}\n`));
    await refusal('ERR_TRUST_SIGNING_KEY', () => fleet.issue('web-09'));
    const account = await (await fleet.domain()).accountKey();
    await bootstrapPeelCreds(account, 'web-09', join(fleet.dir, 'explicit.creds'));
  });
});

import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { writeCredsFile } from '../../../src/creds/generate.js';
import { loadCredsFile } from '../../../src/creds/parse.js';
import { isRevoked } from '../../../src/jwt/chain.js';
import { PERMANENT } from '../../../src/jwt/revoke-up-to.js';
import { createUserJwt } from '../../../src/jwt/user.js';
import { isComplete } from '../../../src/account/push-account.js';
import { revoke, type RevokeTarget } from '../../../src/account/revoke.js';
import { generateKeyBundle } from '../../../src/nkeys/key-bundle.js';
import { peelUserJwtOptions } from '../../../src/permissions/roles.js';
import { startHome, type HomeWithServers } from './support.js';

const HOUR = 3_600;

/** Credentials signed elsewhere by the peel signing key, with a clock that is ahead: the home does not know them. */
async function dated(
  fleet: HomeWithServers,
  peelId: string,
  aheadSeconds: number,
  user = generateKeyBundle('user'),
): Promise<{ path: string; publicKey: string; user: typeof user }> {
  const domain = await fleet.domain();
  const signer = await domain.peelSigner();
  const options = peelUserJwtOptions(peelId, domain.publicKeys.account, {
    scoped: true,
    expiry: aheadSeconds + HOUR,
    now: () => Date.now() + aheadSeconds * 1000,
  });
  const path = join(fleet.dir, `${peelId}-${aheadSeconds}.creds`);
  await writeCredsFile(path, createUserJwt(user, signer, options), user.seed);
  signer.wipe();
  return { path, publicKey: user.publicKey, user };
}

describe('revoking a credential that is dated ahead', () => {
  it.each<[string, (of: { path: string; publicKey: string }) => RevokeTarget]>([
    ['by id', () => ({ peelId: 'web-01' })],
    ['by key', ({ publicKey }) => ({ publicKey })],
    ['by file', ({ path }) => ({ credsPath: path })],
    ['by time', () => ({ issuedBefore: Date.now() - 1 })],
  ])('%s cuts its connection and keeps it out', async (_how, targetOf) => {
    const fleet = await startHome();
    const peel = await dated(fleet, 'web-01', HOUR);
    const { cut } = await fleet.peel('web-01', peel.path);
    await new Promise((resolve) => setTimeout(resolve, 2));

    const { revoked, report } = await revoke(fleet.home, targetOf(peel), fleet.options);

    expect(report && isComplete(report)).toBe(true);
    expect(revoked).toContain(peel.publicKey);
    await cut;
    expect(await fleet.letsIn(peel.path, 'web-01', fleet.node(0).url)).toBe(false);
  });

  it('by key is permanent if nothing is known about its JWTs, and covers later ones', async () => {
    const fleet = await startHome();
    const peel = await dated(fleet, 'web-01', 366 * 86_400);
    const { upTo } = await revoke(fleet.home, { publicKey: peel.publicKey }, fleet.options);
    expect(upTo).toBe(PERMANENT);
    expect(await fleet.letsIn(peel.path, 'web-01', fleet.node(0).url)).toBe(false);
  });

  it('by file covers a newer JWT of the same key, that is connected', async () => {
    const fleet = await startHome();
    const old = await dated(fleet, 'web-01', 0);
    const renewed = await dated(fleet, 'web-01', HOUR, old.user);
    const { cut } = await fleet.peel('web-01', renewed.path);
    await revoke(fleet.home, { credsPath: old.path }, fleet.options);
    await cut;
    for (const { path } of [old, renewed]) {
      expect(await fleet.letsIn(path, 'web-01', fleet.node(0).url)).toBe(false);
    }
  });

  it('by ID covers JWTs that the home issued while its clock was ahead', async () => {
    const fleet = await startHome();
    const path = join(fleet.dir, 'fast.creds');
    await (await fleet.domain()).issuePeel('web-01', path, { now: () => Date.now() + HOUR * 1000 });
    await revoke(fleet.home, { peelId: 'web-01' }, fleet.options);
    expect(await fleet.letsIn(path, 'web-01', fleet.node(0).url)).toBe(false);
  });

  it('by ID covers all keys in the registry', async () => {
    const fleet = await startHome();
    const peel = await dated(fleet, 'web-01', HOUR);
    const { iat } = (await loadCredsFile(peel.path)).claims;
    const registered = [{ publicKey: peel.publicKey, issuedAt: iat }];
    const { upTo } = await revoke(fleet.home, { peelId: 'web-01' }, { ...fleet.options, registered });
    expect(upTo).toBe(iat);
    expect(await fleet.letsIn(peel.path, 'web-01', fleet.node(0).url)).toBe(false);
  });

  it.each([
    ['ten minutes', 600],
    ['ten years', 10 * 366 * 86_400],
  ])(
    'covers a JWT %s ahead that only the registry knows, by file, by key and by time',
    async (_what, ahead) => {
      const fleet = await startHome();
      const { url } = fleet.node(0);
      for (const targetOf of [
        ({ old }: { old: string }): RevokeTarget => ({ credsPath: old }),
        ({ publicKey }: { publicKey: string }): RevokeTarget => ({ publicKey }),
        (): RevokeTarget => ({ issuedBefore: Date.now() }),
      ]) {
        const old = await dated(fleet, 'web-01', 0);
        const renewed = await dated(fleet, 'web-01', ahead, old.user);
        const { iat } = (await loadCredsFile(renewed.path)).claims;
        const registered = [{ publicKey: old.publicKey, issuedAt: iat }];
        const target = targetOf({ old: old.path, publicKey: old.publicKey });
        const { report } = await revoke(fleet.home, target, { ...fleet.options, registered });
        expect(report && isComplete(report)).toBe(true);
        expect(await fleet.letsIn(renewed.path, 'web-01', url)).toBe(false);
      }
    },
  );

  it('is permanent if the registry was not read, otherwise up to the newest known JWT', async () => {
    const fleet = await startHome();
    const { path } = await dated(fleet, 'web-01', 0);
    const known = await revoke(fleet.home, { credsPath: path }, { ...fleet.options, registered: [] });
    expect(known.upTo).toBeLessThan(PERMANENT);
    expect((await revoke(fleet.home, { credsPath: path }, fleet.options)).upTo).toBe(PERMANENT);
  });

  it('by a past time names JWTs that are dated ahead and may be older, and does not revoke them', async () => {
    const fleet = await startHome();
    const peel = await dated(fleet, 'web-01', HOUR);
    const { iat } = (await loadCredsFile(peel.path)).claims;
    const registered = [{ publicKey: peel.publicKey, issuedAt: iat }];
    const target = { issuedBefore: Date.now() - HOUR * 1000 };
    const { revoked, undecided } = await revoke(fleet.home, target, {
      ...fleet.options,
      registered,
      includeMaster: true,
    });
    expect(revoked).toEqual(['*']);
    expect(undecided).toEqual([{ publicKey: peel.publicKey, issuedAt: iat }]);
    expect(await fleet.letsIn(peel.path, 'web-01', fleet.node(0).url)).toBe(true);
  });

  it('by time, if that is now, covers unused JWTs that the home issued', async () => {
    const fleet = await startHome();
    const domain = await fleet.domain();
    const path = join(fleet.dir, 'ahead.creds');
    await domain.issuePeel('web-01', path, { now: () => Date.now() + 100_000 });
    const fresh = await fleet.issue('web-02');
    const { publicKey } = await loadCredsFile(path);
    const { revoked } = await revoke(fleet.home, { issuedBefore: Date.now() - 2_000 }, fleet.options);
    expect(revoked).toEqual(['*', publicKey]);
    expect(await fleet.letsIn(path, 'web-01', fleet.node(0).url)).toBe(false);
    expect(await fleet.letsIn(fresh.path, 'web-02', fleet.node(0).url)).toBe(true);
  });

  it('by time spares later JWTs, and the home’s own credentials', async () => {
    const fleet = await startHome();
    const before = Date.now() - 600_000;
    const peel = await dated(fleet, 'web-01', HOUR);
    const { nc, cuts } = await fleet.peel('web-01', peel.path);
    const { revoked, undecided } = await revoke(fleet.home, { issuedBefore: before }, fleet.options);
    expect(revoked).toEqual(['*']);
    expect(undecided.map(({ publicKey }) => publicKey)).toEqual([peel.publicKey]);
    await nc.flush();
    expect(cuts()).toBe(0);
  });
});

describe('credentials issued after a revocation of everyone', () => {
  it('is not revoked by it, in the same second or with a clock behind', async () => {
    const fleet = await startHome();
    const path = join(fleet.dir, 'fresh.creds');
    await revoke(fleet.home, { issuedBefore: Date.now() }, fleet.options);
    const domain = await fleet.domain();
    await domain.issuePeel('web-01', path, { now: () => Date.now() - 30_000 });
    const { claims, publicKey } = await loadCredsFile(path);
    expect(isRevoked(domain.accountClaims.nats.revocations ?? {}, publicKey, claims.iat)).toBe(false);
    expect(await fleet.letsIn(path, 'web-01', fleet.node(0).url)).toBe(true);
    expect(await fleet.letsIn(domain.paths.masterCreds, 'any', fleet.node(0).url)).toBe(true);
  });
});

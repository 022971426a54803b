import { chmod, cp, mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bootstrapPeelCreds } from '../../../src/creds/bootstrap.js';
import { decodeAccountJwt } from '../../../src/jwt/decode.js';
import { resignAccountJwt } from '../../../src/jwt/resign.js';
import { requireComplete } from '../../../src/account/push-account.js';
import { clearRevocations, listRevocations, revoke } from '../../../src/account/revoke.js';
import { generateKeyBundle, type KeyBundle } from '../../../src/nkeys/key-bundle.js';
import { createTrustDomain } from '../../../src/trust/create/create.js';
import { exportIdentity } from '../../../src/trust/keys/export-identity.js';
import { withHomeLock } from '../../../src/trust/lock.js';
import { refusal } from '../../support/refusal.js';
import { waitFor } from '../../support/wait-for.js';
import { snapshot, startHome, startHomeCluster } from './support.js';

describe('revoking', () => {
  it('by id cuts a live connection, refuses its reconnects, and leaves others alone', async () => {
    const fleet = await startHome();
    const bad = await fleet.issue('web-01');
    const good = await fleet.issue('web-02');
    const revoked = await fleet.peel('web-01', bad.path);
    const other = await fleet.peel('web-02', good.path);

    const result = await revoke(fleet.home, { peelId: 'web-01' }, fleet.options);

    expect(result.revoked).toEqual([bad.publicKey]);
    expect(result.report).toEqual({ confirmed: ['n1'], failed: [], notReached: [] });
    await revoked.cut;
    expect(await fleet.letsIn(bad.path, 'web-01', fleet.node(0).url)).toBe(false);
    await other.nc.flush();
    expect(other.cuts(), 'the other was never cut').toBe(0);
    expect(await fleet.letsIn(good.path, 'web-02', fleet.node(0).url)).toBe(true);
  });

  it('holds after a restart of the server', async () => {
    const fleet = await startHome();
    const { path } = await fleet.issue('web-01');
    await revoke(fleet.home, { peelId: 'web-01' }, fleet.options);
    await fleet.node(0).restart();
    expect(await fleet.letsIn(path, 'web-01', fleet.node(0).url)).toBe(false);
  });

  it('by id finds every credential that was issued to it, connected or not', async () => {
    const fleet = await startHome();
    const both = [await fleet.issue('web-01'), await fleet.issue('web-01')];
    const { revoked } = await revoke(fleet.home, { peelId: 'web-01' }, fleet.options);
    expect(revoked).toEqual(both.map(({ publicKey }) => publicKey));
    for (const { path } of both) {
      expect(await fleet.letsIn(path, 'web-01', fleet.node(0).url)).toBe(false);
    }
  });

  it('by ID finds a credential that was issued elsewhere, while it is connected', async () => {
    const fleet = await startHome();
    const domain = await fleet.domain();
    const path = join(fleet.dir, 'elsewhere.creds');
    const account = await domain.accountKey();
    const { user } = await bootstrapPeelCreds(account, 'web-09', path);
    await refusal('ERR_TRUST_NOTHING_TO_REVOKE', () =>
      revoke(fleet.home, { peelId: 'web-09' }, fleet.options),
    );
    const { cut } = await fleet.peel('web-09', path);
    const { revoked } = await revoke(fleet.home, { peelId: 'web-09' }, fleet.options);
    expect(revoked).toEqual([user.publicKey]);
    await cut;
  });

  it('by public key and by file', async () => {
    const fleet = await startHome();
    const one = await fleet.issue('web-01');
    const two = await fleet.issue('web-02');
    await revoke(fleet.home, { publicKey: one.publicKey }, fleet.options);
    await revoke(fleet.home, { credsPath: two.path }, fleet.options);
    expect(await fleet.letsIn(one.path, 'web-01', fleet.node(0).url)).toBe(false);
    expect(await fleet.letsIn(two.path, 'web-02', fleet.node(0).url)).toBe(false);
  });

  it('everything issued before a time, after replacing the home’s own master and admin', async () => {
    const fleet = await startHome();
    const past = Date.now() - 5_000;
    const domain = await fleet.domain();
    const old = join(fleet.dir, 'old.creds');
    await domain.issuePeel('web-01', old, { now: () => Date.now() - 30_000 });
    const fresh = await fleet.issue('web-02');
    const { cut } = await fleet.peel('web-01', old);

    const result = await revoke(fleet.home, { issuedBefore: past }, fleet.options);

    expect(result.revoked).toEqual(['*']);
    expect(result.reissued).toEqual([
      domain.paths.masterCreds,
      domain.paths.masterAnswersCreds,
      domain.paths.adminCreds,
    ]);
    await cut;
    expect(await fleet.letsIn(old, 'web-01', fleet.node(0).url)).toBe(false);
    expect(await fleet.letsIn(fresh.path, 'web-02', fleet.node(0).url)).toBe(true);
    expect(await fleet.letsIn(domain.paths.masterCreds, 'any', fleet.node(0).url)).toBe(true);
  });

  it('twice concurrently loses neither', async () => {
    const fleet = await startHome();
    const peels = await Promise.all(['a', 'b', 'c', 'd'].map((id) => fleet.issue(id)));
    await Promise.all(['a', 'b', 'c', 'd'].map((peelId) => revoke(fleet.home, { peelId }, fleet.options)));
    const { accountJwt } = await fleet.domain();
    expect(Object.keys(decodeAccountJwt(accountJwt).nats.revocations ?? {}).sort()).toEqual(
      peels.map(({ publicKey }) => publicKey).sort(),
    );
    for (const { path } of peels) expect(await fleet.letsIn(path, 'any', fleet.node(0).url)).toBe(false);
  });

  it('keeps revocations that another copy of the home pushed', async () => {
    const fleet = await startHome();
    const copy = join(fleet.dir, 'copy');
    const one = await fleet.issue('web-01');
    const two = await fleet.issue('web-02');
    await cp(fleet.home, copy, { recursive: true });
    await revoke(copy, { peelId: 'web-01' }, fleet.options);
    await revoke(fleet.home, { peelId: 'web-02' }, fleet.options);
    expect(
      (await listRevocations(fleet.home, { servers: false })).map(({ publicKey }) => publicKey).sort(),
    ).toEqual([one.publicKey, two.publicKey].sort());
    expect(await fleet.letsIn(one.path, 'web-01', fleet.node(0).url)).toBe(false);
  });

  it('can be cleared, one by one', async () => {
    const fleet = await startHome();
    const one = await fleet.issue('web-01');
    const two = await fleet.issue('web-02');
    await revoke(fleet.home, { peelId: 'web-01' }, fleet.options);
    await revoke(fleet.home, { peelId: 'web-02' }, fleet.options);
    expect((await listRevocations(fleet.home, fleet.options)).map(({ peelId }) => peelId).sort()).toEqual([
      'web-01',
      'web-02',
    ]);
    const { cleared } = await clearRevocations(fleet.home, { peelId: 'web-01' }, fleet.options);
    expect(cleared.map(({ publicKey }) => publicKey)).toEqual([one.publicKey]);
    expect(await fleet.letsIn(one.path, 'web-01', fleet.node(0).url)).toBe(true);
    expect(await fleet.letsIn(two.path, 'web-02', fleet.node(0).url)).toBe(false);
    await refusal('ERR_TRUST_NOTHING_TO_REVOKE', () =>
      clearRevocations(fleet.home, { peelId: 'web-01' }, fleet.options),
    );
  });

  it('with a node of the cluster down is in force on the others, names it, and reaches it when it is back', async () => {
    const fleet = await startHomeCluster();
    const { path } = await fleet.issue('web-01');
    const { cut } = await fleet.peel('web-01', path, [fleet.node(0).url]);
    await fleet.node(2).kill();

    const { report } = await revoke(fleet.home, { peelId: 'web-01' }, fleet.options);

    expect(report?.confirmed).toEqual(['n1', 'n2']);
    expect(report?.notReached).toEqual(['n3', fleet.node(2).url]);
    const error = await refusal(
      'ERR_NATS_SERVER_PUSH_INCOMPLETE',
      () => report && requireComplete(report, 'it'),
    );
    expect(error.message).toContain('not reached: n3');
    await cut;
    for (const i of [0, 1]) expect(await fleet.letsIn(path, 'web-01', fleet.node(i).url)).toBe(false);

    await fleet.node(2).start();
    await waitFor(
      'the third node to refuse it',
      async () => !(await fleet.letsIn(path, 'web-01', fleet.node(2).url)),
    );
  });
});

describe('a revocation that cannot be made leaves the home as it was', () => {
  it('where no server answers', async () => {
    const fleet = await startHome();
    await fleet.issue('web-01');
    await fleet.node(0).stop();
    const before = await snapshot(fleet.home);
    await refusal('ERR_NATS_SERVER_UNREACHABLE', () =>
      revoke(fleet.home, { peelId: 'web-01' }, fleet.options),
    );
    expect(await snapshot(fleet.home)).toEqual(before);
  });

  it('if the server trusts another operator', async () => {
    const fleet = await startHome();
    const stranger = join(await mkdtemp(join(fleet.dir, 'stranger-')), 'home');
    const domain = await createTrustDomain(stranger);
    await domain.issuePeel('web-01', join(fleet.dir, 'stranger.creds'));
    const before = await snapshot(stranger);
    const error = await refusal('ERR_NATS_SERVER_REFUSED', () =>
      revoke(stranger, { peelId: 'web-01' }, fleet.options),
    );
    expect(error.message).toContain(domain.publicKeys.operator);
    expect(await snapshot(stranger)).toEqual(before);
  });

  it('where the resolver is of the type MEMORY', async () => {
    const fleet = await startHome({ resolver: 'memory' });
    await fleet.issue('web-01');
    const before = await snapshot(fleet.home);
    const error = await refusal('ERR_NATS_SERVER_RESOLVER', () =>
      revoke(fleet.home, { peelId: 'web-01' }, fleet.options),
    );
    expect(error.message).toContain('MEMORY');
    expect(await snapshot(fleet.home)).toEqual(before);
  });

  it('if the peel is unknown, the key is invalid, or the file belongs to another home', async () => {
    const fleet = await startHome();
    const seed = 'SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY';
    for (const target of [{ peelId: 'nobody' }, { publicKey: 'UNOTAKEY' }, { publicKey: seed }]) {
      await refusal('ERR_TRUST_NOTHING_TO_REVOKE', () => revoke(fleet.home, target, fleet.options));
    }
    await refusal('ERR_PEEL_ID', () => revoke(fleet.home, { peelId: '*' }, fleet.options));
    const other = await createTrustDomain(join(fleet.dir, 'other'));
    const path = join(fleet.dir, 'other.creds');
    await other.issuePeel('web-01', path);
    await refusal('ERR_TRUST_NOTHING_TO_REVOKE', () =>
      revoke(fleet.home, { credsPath: path }, fleet.options),
    );
  });

  it('where the account JWT would be larger than the server takes', async () => {
    const fleet = await startHome();
    const domain = await fleet.domain();
    const signer = await domain.operatorSigningKey();
    const revocations = Object.fromEntries(
      Array.from({ length: 12_000 }, (_, i) => [`U${String(i).padStart(55, 'A')}`, 1_700_000_000]),
    );
    const large = resignAccountJwt(domain.accountJwt, signer, (claims) => ({
      ...claims,
      nats: { ...claims.nats, revocations },
    }));
    await writeFile(domain.paths.accountJwt, `${large}\n`);
    await fleet.issue('web-01');
    const before = await snapshot(fleet.home);
    const error = await refusal('ERR_TRUST_ACCOUNT_TOO_LARGE', () =>
      revoke(fleet.home, { peelId: 'web-01' }, fleet.options),
    );
    expect(error.message).toContain('revocations clear --before');
    expect(await snapshot(fleet.home)).toEqual(before);
  });

  it('where a master whose credentials never expire would be locked out, and the identity seed is offline', async () => {
    const fleet = await startHome({ credsLifetime: 0 });
    await exportIdentity(fleet.home, join(fleet.dir, 'offline'));
    const before = await snapshot(fleet.home);
    const target = { issuedBefore: Date.now() - 1_000 };
    const error = await refusal('ERR_TRUST_REVOKES_MASTER', () => revoke(fleet.home, target, fleet.options));
    expect(error.message).toContain('master.creds');
    expect(await snapshot(fleet.home)).toEqual(before);
    const result = await revoke(fleet.home, target, { ...fleet.options, includeMaster: true });
    expect(result.reissued).toEqual([]);
  });

  it.each([
    ['a public key', 'ERR_KEY_NOT_A_SEED', () => generateKeyBundle('operator').publicKey],
    ['a seed of another role', 'ERR_KEY_ROLE', () => seedText(generateKeyBundle('account'))],
    ['another operator’s seed', 'ERR_TRUST_KEY_MISMATCH', () => seedText(generateKeyBundle('operator'))],
  ])('where %s is in the place of the operator’s signing seed', async (_name, code, content) => {
    const fleet = await startHome();
    const { path } = await fleet.issue('web-01');
    const { paths } = await fleet.domain();
    const text = content();
    await writeFile(paths.operatorSigningSeed, `${text}\n`);
    const before = await snapshot(fleet.home);
    const secrets = text.startsWith('S') ? [text] : [];
    const error = await refusal(
      code,
      () => revoke(fleet.home, { peelId: 'web-01' }, fleet.options),
      ...secrets,
    );
    expect(error.message).toContain(paths.operatorSigningSeed);
    expect(await snapshot(fleet.home)).toEqual(before);
    expect(await fleet.letsIn(path, 'web-01', fleet.node(0).url)).toBe(true);
  });

  it('if another command has locked the home, which the error names', async () => {
    const fleet = await startHome();
    const { path } = await fleet.issue('web-01');
    const error = await withHomeLock(fleet.home, 'zester keys add', () =>
      refusal('ERR_TRUST_LOCKED', () =>
        revoke(fleet.home, { peelId: 'web-01' }, { ...fleet.options, waitMs: 50 }),
      ),
    );
    expect(error.message).toContain(`"zester keys add" (process ${process.pid}`);
    expect(await fleet.letsIn(path, 'web-01', fleet.node(0).url)).toBe(true);
  });

  it('where the home is readable by others', async () => {
    const fleet = await startHome();
    await fleet.issue('web-01');
    await chmod(fleet.home, 0o755);
    await refusal('ERR_TRUST_HOME_EXPOSED', () => revoke(fleet.home, { peelId: 'web-01' }, fleet.options));
  });

  it.skipIf(process.getuid?.() === 0)('where the home is read-only', async () => {
    const fleet = await startHome();
    const { path } = await fleet.issue('web-01');
    await chmod(fleet.home, 0o500);
    await refusal('ERR_FILE_WRITE', () => revoke(fleet.home, { peelId: 'web-01' }, fleet.options));
    await chmod(fleet.home, 0o700);
    expect(await fleet.letsIn(path, 'web-01', fleet.node(0).url)).toBe(true);
  });
});

function seedText(key: KeyBundle): string {
  return Buffer.from(key.seed).toString('latin1');
}

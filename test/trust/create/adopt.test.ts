import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadCredsFile } from '../../../src/creds/parse.js';
import { createUserJwt } from '../../../src/jwt/user.js';
import { validateJwtChain } from '../../../src/jwt/chain.js';
import { decodeAccountJwt } from '../../../src/jwt/decode.js';
import { generateCredsFile } from '../../../src/creds/generate.js';
import { generateKeyBundle } from '../../../src/nkeys/key-bundle.js';
import { createTrustDomain } from '../../../src/trust/create/create.js';
import type { TrustDomain } from '../../../src/trust/domain.js';
import { loadAdoptedTrust, type AdoptedTrustFiles } from '../../../src/trust/create/load-adopted.js';
import { openTrustDomain } from '../../../src/trust/open.js';
import { tempDir } from '../../support/temp-dir.js';
import { foreignDomain } from '../foreign-domain.js';

async function adopt(files: AdoptedTrustFiles, home?: string): Promise<TrustDomain> {
  const adopted = await loadAdoptedTrust(files);
  return createTrustDomain(home ?? join(await tempDir(), 'home'), { adopt: adopted });
}

/** Checks the chain of every user of the home. */
async function expectWhole(domain: TrustDomain): Promise<void> {
  const { paths, operatorJwt, accountJwt, systemAccountJwt } = domain;
  const { jwt: peel } = await domain.issuePeel('web-01', join(domain.home, 'web-01.creds'));
  const master = await loadCredsFile(paths.masterCreds);
  const admin = await loadCredsFile(paths.adminCreds);
  const system = await loadCredsFile(paths.systemCreds);
  for (const jwt of [peel, master.jwt, admin.jwt]) validateJwtChain(operatorJwt, accountJwt, jwt);
  expect(() => validateJwtChain(operatorJwt, systemAccountJwt, system.jwt)).not.toThrow();
}

describe('adopting an operator made by another tool', () => {
  it('creates a new account below it, without its identity seeds', async () => {
    const { files, operatorPublicKey } = await foreignDomain();
    const domain = await adopt(files);
    await expectWhole(domain);
    expect(domain.publicKeys.operator).toBe(operatorPublicKey);
    expect(domain.names).toEqual({ operator: 'Acme', systemAccount: 'SYS', account: 'fleet' });
    await expect(domain.operatorKey()).rejects.toMatchObject({ code: 'ERR_TRUST_KEY_OFFLINE' });
    expect((await readFile(files.operatorJwt, 'utf8')).includes(domain.operatorJwt)).toBe(true);
  });

  it('adopts its account with all its claims, and adds the signing keys of peels and join tokens', async () => {
    const { files, accountFiles, accountPublicKey } = await foreignDomain();
    const domain = await adopt({ ...files, ...accountFiles });
    await expectWhole(domain);
    const { sub, name, nats } = decodeAccountJwt(domain.accountJwt);
    expect({ sub, name }).toEqual({ sub: accountPublicKey, name: 'Plant 7' });
    expect(nats).toMatchObject({
      description: 'made elsewhere',
      exports: [{ name: 'time', subject: 'time', type: 'service' }],
      signing_keys: [
        { role: 'peel', key: domain.publicKeys.peelSigning },
        { role: 'join', key: domain.publicKeys.joinSigning },
      ],
    });
  });

  it('leaves an account unchanged that has the signing keys of peels and join tokens', async () => {
    const { files, accountFiles, write } = await foreignDomain();
    const first = await adopt({ ...files, ...accountFiles });
    const accountJwt = await write('with-key.jwt', first.accountJwt);
    const second = await adopt({
      ...files,
      ...accountFiles,
      accountJwt,
      peelSigningSeed: first.paths.peelSigningSeed,
      joinSigningSeed: first.paths.joinSigningSeed,
    });
    expect(second.accountJwt).toBe(first.accountJwt);
    expect(second.publicKeys).toEqual(first.publicKeys);
    await expectWhole(second);
    expect((await second.joinSigner()).publicKey).toBe(first.publicKeys.joinSigning);
  });

  it('adds the signing key of join tokens to an account that has only that of the peels', async () => {
    const { files, accountFiles, write } = await foreignDomain();
    const first = await adopt({ ...files, ...accountFiles });
    const accountJwt = await write('with-key.jwt', first.accountJwt);
    const { peelSigningSeed } = first.paths;
    const second = await adopt({ ...files, ...accountFiles, accountJwt, peelSigningSeed });
    const before = decodeAccountJwt(first.accountJwt).nats.signing_keys ?? [];
    expect(decodeAccountJwt(second.accountJwt).nats.signing_keys).toEqual([
      ...before,
      expect.objectContaining({ role: 'join', key: second.publicKeys.joinSigning }),
    ]);
    expect(second.publicKeys.peelSigning).toBe(first.publicKeys.peelSigning);
  });

  it('creates a user of the system account if its seed is given', async () => {
    const { files, systemAccountSeed } = await foreignDomain();
    const rest: AdoptedTrustFiles = { ...files };
    delete rest.systemCreds;
    const domain = await adopt({ ...rest, systemAccountSeed });
    await expectWhole(domain);
    expect((await loadCredsFile(domain.paths.systemCreds)).claims.name).toBe('zester-system');
  });

  it('keeps the identity of the operator if it is given', async () => {
    const { files, operatorSeed, operatorPublicKey } = await foreignDomain();
    const domain = await adopt({ ...files, operatorSeed });
    expect((await domain.operatorKey()).publicKey).toBe(operatorPublicKey);
  });

  it('is completed by running it again after an interruption at any step', async () => {
    const { files, accountFiles } = await foreignDomain();
    const all = { ...files, ...accountFiles };
    const steps: string[] = [];
    const whole = join(await tempDir(), 'home');
    await createTrustDomain(whole, {
      adopt: await loadAdoptedTrust(all),
      onStep: ({ path }) => steps.push(path.slice(whole.length)),
    });
    for (let done = 1; done < steps.length; done++) {
      const home = join(await tempDir(), 'home');
      await adopt(all, home);
      for (const step of steps.slice(done)) await rm(join(home, step));
      await expectWhole(await adopt(all, home));
    }
  });

  it('changes nothing when it is repeated', async () => {
    const { files, accountFiles } = await foreignDomain();
    const first = await adopt({ ...files, ...accountFiles });
    const again = await adopt({ ...files, ...accountFiles }, first.home);
    expect(again.accountJwt).toBe(first.accountJwt);
    expect((await openTrustDomain(first.home)).publicKeys).toEqual(first.publicKeys);
  });
});

describe('adopting is refused, and the home stays empty', () => {
  async function refusal(files: AdoptedTrustFiles): Promise<Error & { code?: string }> {
    const home = await tempDir();
    const error = await adopt(files, home).then(
      () => undefined,
      (thrown: Error & { code?: string }) => thrown,
    );
    expect(await readdir(home)).toEqual([]);
    if (error === undefined) throw new Error('it was not refused');
    return error;
  }

  it('with the signing key, the identity or the accounts of another operator', async () => {
    const one = await foreignDomain();
    const other = await foreignDomain();
    const cases: [Partial<AdoptedTrustFiles>, string][] = [
      [{ operatorSigningSeed: other.files.operatorSigningSeed }, 'does not sign for the operator'],
      [{ operatorSigningSeed: one.operatorSeed, operatorSeed: other.operatorSeed }, 'another operator'],
      [{ systemAccountJwt: other.files.systemAccountJwt }, 'system account is'],
      [{ systemCreds: other.files.systemCreds }, 'credentials of the system account cannot be used'],
      [other.accountFiles, 'is not a key of the operator'],
      [{ ...one.accountFiles, accountSeed: other.accountFiles.accountSeed }, 'is neither the account'],
    ];
    for (const [files, words] of cases) {
      const error = await refusal({ ...one.files, ...files });
      expect(error.code, words).toBe('ERR_TRUST_ADOPT');
      expect(error.message).toContain(words);
    }
  });

  it('with a public key where a seed belongs, and a seed of another role', async () => {
    const { files, write, operatorPublicKey, accountFiles } = await foreignDomain();
    const publicKey = await write('public', operatorPublicKey);
    expect((await refusal({ ...files, operatorSigningSeed: publicKey })).code).toBe('ERR_KEY_NOT_A_SEED');
    expect((await refusal({ ...files, operatorSigningSeed: accountFiles.accountSeed })).code).toBe(
      'ERR_KEY_ROLE',
    );
  });

  it('with the fleet’s account being the system account', async () => {
    const { files, systemAccountSeed } = await foreignDomain();
    const error = await refusal({
      ...files,
      accountJwt: files.systemAccountJwt,
      accountSeed: systemAccountSeed,
    });
    expect(error).toMatchObject({
      code: 'ERR_TRUST_ADOPT',
      message: expect.stringContaining('system account') as string,
    });
  });

  it('with the signing keys of peels and of join tokens swapped, or identical', async () => {
    const { files, accountFiles, write } = await foreignDomain();
    const { paths, accountJwt } = await adopt({ ...files, ...accountFiles });
    const given = { ...files, ...accountFiles, accountJwt: await write('with-keys.jwt', accountJwt) };
    const { peelSigningSeed, joinSigningSeed } = paths;
    const cases: [Partial<AdoptedTrustFiles>, string][] = [
      [{ peelSigningSeed: joinSigningSeed }, 'has the role "join"'],
      [{ joinSigningSeed: peelSigningSeed }, 'has the role "peel"'],
      [{ peelSigningSeed, joinSigningSeed: peelSigningSeed }, 'cannot sign both'],
      [{ joinSigningSeed: accountFiles.accountSeed }, 'without a scope'],
    ];
    for (const [seeds, words] of cases) {
      const error = await refusal({ ...given, ...seeds });
      expect(error.code, words).toBe('ERR_TRUST_ADOPT');
      expect(error.message).toContain(words);
    }
  });

  it('with an expired user of the system account', async () => {
    const { files, systemAccountSeed, write } = await foreignDomain();
    const rest: AdoptedTrustFiles = { ...files };
    delete rest.systemCreds;
    const adopted = await loadAdoptedTrust({ ...rest, systemAccountSeed });
    if (!('signer' in adopted.system)) throw new Error('no signer');
    const user = generateKeyBundle('user');
    const jwt = createUserJwt(user, adopted.system.signer, { name: 'sys', expiry: 60, now: () => 0 });
    const systemCreds = await write(
      'old.creds',
      Buffer.from(generateCredsFile(jwt, user.seed)).toString('latin1'),
    );
    const error = await refusal({ ...files, systemCreds });
    expect(error).toMatchObject({
      code: 'ERR_TRUST_ADOPT',
      message: expect.stringContaining('expired') as string,
    });
  });

  it('if the operator allows only signing keys and an identity key would sign', async () => {
    const { files, accountFiles } = await foreignDomain({ strict: true });
    expect((await refusal({ ...files, ...accountFiles })).code).toBe('ERR_TRUST_ADOPT');
    expect((await refusal(files)).code).toBe('ERR_TRUST_ADOPT');
  });

  it('into a home with another operator’s domain', async () => {
    const { home } = await createTrustDomain(join(await tempDir(), 'home'));
    const { files } = await foreignDomain();
    await expect(adopt(files, home)).rejects.toMatchObject({
      code: 'ERR_TRUST_ADOPT',
      message: expect.stringContaining('choose another --home') as string,
    });
  });
});

describe('the credentials of an adopted trust domain', () => {
  it('do not expire, since its servers do not know the keys that would renew them', async () => {
    const { files, accountFiles } = await foreignDomain();
    const { settings, paths } = await adopt({ ...files, ...accountFiles });
    expect(settings.renewal).toBeUndefined();
    expect((await loadCredsFile(paths.masterCreds)).claims.exp).toBeUndefined();
  });

  it('cannot be given a lifetime before these have the account', async () => {
    const { files } = await foreignDomain();
    const home = join(await tempDir(), 'home');
    const adopted = await loadAdoptedTrust(files);
    await expect(createTrustDomain(home, { adopt: adopted, credsLifetime: 60 })).rejects.toMatchObject({
      code: 'ERR_TRUST_ADOPT',
      message: expect.stringContaining('zester keys add master-signing') as string,
    });
    await expect(createTrustDomain(home, { adopt: adopted, credsLifetime: 0 })).resolves.toBeDefined();
  });
});

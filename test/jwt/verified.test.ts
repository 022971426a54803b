import { beforeEach, describe, expect, it, vi } from 'vitest';
import {
  createAccountJwt,
  createOperatorJwt,
  createUserJwt,
  decodeUserJwt,
  generateCredsFile,
  generateKeyBundle,
  parseCredsData,
  validateJwtChain,
  type AccountJwtOptions,
  type KeyBundle,
  type OperatorJwtOptions,
  type UserJwtOptions,
} from '../../src/index.js';
import { entryOf, VerifiedJwts } from '../../src/jwt/verified.js';
import { verifySignature } from '../../src/nkeys/verify.js';
import { refusal } from '../support/refusal.js';
import { alter, forge, partsOf } from './forge.js';

// counted, not replaced
vi.mock('../../src/nkeys/verify.js', { spy: true });
const verified = vi.mocked(verifySignature);
beforeEach(() => void verified.mockClear());

const T = 1_700_000_000;
const at = (seconds: number) => ({ now: () => (T + seconds) * 1000 });

function hierarchy() {
  const keys = {
    operator: generateKeyBundle('operator'),
    operatorSigner: generateKeyBundle('operator'),
    account: generateKeyBundle('account'),
    accountSigner: generateKeyBundle('account'),
    user: generateKeyBundle('user'),
  };
  const operatorJwt = (options: Partial<OperatorJwtOptions> = {}) =>
    createOperatorJwt(keys.operator, {
      ...at(0),
      name: 'O',
      signingKeys: [keys.operatorSigner.publicKey],
      ...options,
    });
  const accountJwt = (options: Partial<AccountJwtOptions> = {}) =>
    createAccountJwt(keys.account, keys.operatorSigner, {
      ...at(0),
      name: 'A',
      signingKeys: [keys.accountSigner.publicKey],
      ...options,
    });
  const userJwt = (options: Partial<UserJwtOptions> = {}) =>
    createUserJwt(keys.user, keys.accountSigner, {
      ...at(0),
      name: 'U',
      issuerAccount: keys.account.publicKey,
      ...options,
    });
  return { ...keys, operatorJwt, accountJwt, userJwt };
}

describe('a chain that was verified', () => {
  it('costs no signature the next time, and a second user of the account costs one', () => {
    const { operatorJwt, accountJwt, userJwt, ...keys } = hierarchy();
    const [operator, account] = [operatorJwt(), accountJwt()];
    const jwts = ['1', '2'].map((name) => forged(userJwt({ name }), keys.accountSigner));

    validateJwtChain(operator, account, jwts[0] ?? '', at(1));
    verified.mockClear();
    for (let i = 0; i < 3; i++) validateJwtChain(operator, account, jwts[0] ?? '', at(1));
    expect(verified).not.toHaveBeenCalled();

    validateJwtChain(operator, account, jwts[1] ?? '', at(1));
    expect(verified).toHaveBeenCalledOnce();
  });

  it.each([
    ['the operator', 'ERR_CHAIN_OPERATOR_EXPIRED', 'ERR_CHAIN_OPERATOR_NOT_YET_VALID', 0],
    ['the account', 'ERR_CHAIN_ACCOUNT_EXPIRED', 'ERR_CHAIN_ACCOUNT_NOT_YET_VALID', 1],
    ['the user', 'ERR_CHAIN_USER_EXPIRED', 'ERR_CHAIN_USER_NOT_YET_VALID', 2],
  ] as const)('breaks when the time of %s is over or not yet there', async (_, expired, early, link) => {
    const { operatorJwt, accountJwt, userJwt } = hierarchy();
    const times = { expiry: 100, notBefore: T + 50 };
    const options = [{}, {}, {}].map((none, i) => (i === link ? times : none));
    const chain = [operatorJwt(options[0]), accountJwt(options[1]), userJwt(options[2])] as const;

    validateJwtChain(...chain, at(60));
    await refusal(expired, () => validateJwtChain(...chain, at(100)));
    await refusal(early, () => validateJwtChain(...chain, at(49)));
    validateJwtChain(...chain, at(60));
  });

  it('breaks when the account revokes the user, or everyone', async () => {
    const { operatorJwt, accountJwt, userJwt, user } = hierarchy();
    const [operator, jwt] = [operatorJwt(), userJwt()];
    validateJwtChain(operator, accountJwt(), jwt, at(1));

    for (const key of [user.publicKey, '*']) {
      const revoking = accountJwt({ revocations: { [key]: T } });
      await refusal('ERR_CHAIN_USER_REVOKED', () => validateJwtChain(operator, revoking, jwt, at(1)));
    }
  });

  it('breaks when the account or the operator no longer has the signing key', async () => {
    const { operatorJwt, accountJwt, userJwt } = hierarchy();
    const [operator, account, user] = [operatorJwt(), accountJwt(), userJwt()];
    validateJwtChain(operator, account, user, at(1));

    await refusal('ERR_CHAIN_USER_ISSUER', () =>
      validateJwtChain(operator, accountJwt({ signingKeys: [] }), user, at(1)),
    );
    await refusal('ERR_CHAIN_ACCOUNT_ISSUER', () =>
      validateJwtChain(operatorJwt({ signingKeys: [] }), account, user, at(1)),
    );
  });
});

describe('a JWT that was verified', () => {
  it('vouches for no other text: other claims, another signature, another issuer', async () => {
    const { userJwt, accountSigner } = hierarchy();
    const [jwt, other] = [userJwt({ name: 'U' }), userJwt({ name: 'V' })];
    decodeUserJwt(jwt);
    decodeUserJwt(other);
    const [header = '', payload = ''] = jwt.split('.');
    const signatureOfOther = other.split('.')[2] ?? '';
    const attacker = generateKeyBundle('account');
    const flipped = jwt.slice(0, -10) + (jwt.at(-10) === 'A' ? 'B' : 'A') + jwt.slice(-9);

    for (const poison of [
      alter(jwt, (claims) => (claims['name'] = 'root')),
      alter(jwt, (claims) => (claims['iss'] = attacker.publicKey)),
      `${header}.${payload}.${signatureOfOther}`,
      flipped,
      // signed, but not by the issuer that it names
      forge(partsOf(other).claims, attacker),
    ]) {
      await refusal('ERR_JWT_SIGNATURE', () => decodeUserJwt(poison));
      // refused once, it is refused again
      await refusal('ERR_JWT_SIGNATURE', () => decodeUserJwt(poison));
    }
    expect(decodeUserJwt(jwt).iss).toBe(accountSigner.publicKey);
  });

  it('keeps its claims, even if a caller modifies its copy', () => {
    const { userJwt, user } = hierarchy();
    const jwt = userJwt({ permissions: { publish: { allow: ['a'] }, subscribe: { allow: ['b'] } } });
    const claims = decodeUserJwt(jwt);
    claims.sub = generateKeyBundle('user').publicKey;
    claims.nats.pub?.allow?.push('>');

    expect(decodeUserJwt(jwt)).toMatchObject({ sub: user.publicKey, nats: { pub: { allow: ['a'] } } });
  });
});

describe('a JWT that this process signed', () => {
  const options = { ...at(0), name: 'U' };

  it('is not verified again when it is read, or when a .creds file is made of it', () => {
    const [account, user] = [generateKeyBundle('account'), generateKeyBundle('user')];
    const jwt = createUserJwt(user, account, options);
    const content = generateCredsFile(jwt, user.seed);
    decodeUserJwt(jwt);
    expect(verified).not.toHaveBeenCalled();
    expect(parseCredsData(content, 'made').publicKey).toBe(user.publicKey);
  });

  it('makes no .creds file with a seed of another key', async () => {
    const [account, user, other] = [
      generateKeyBundle('account'),
      generateKeyBundle('user'),
      generateKeyBundle('user'),
    ];
    const jwt = createUserJwt(user, account, options);
    await refusal('ERR_CREDS_SEED_MISMATCH', () => generateCredsFile(jwt, other.seed));
    const overwritten = user.seed;
    overwritten.set(other.seed);
    await refusal('ERR_CREDS_SEED_MISMATCH', () => generateCredsFile(jwt, overwritten));
    const zeroed = user.seed.fill(0);
    await refusal('ERR_CREDS_SEED_FORMAT', () => generateCredsFile(jwt, zeroed));
    const given = user.seed;
    user.wipe();
    // a copy stays complete; only its signer is no longer known
    expect(parseCredsData(generateCredsFile(jwt, given), 'made').publicKey).toBe(user.publicKey);
  });

  it('does not count as verified if its signer only looks like a key', async () => {
    const [victim, attacker, user] = [
      generateKeyBundle('account'),
      generateKeyBundle('account'),
      generateKeyBundle('user'),
    ];
    const signers: Partial<KeyBundle>[] = [
      { role: 'account', publicKey: victim.publicKey, sign: (data) => attacker.sign(data) },
      Object.assign(Object.create(attacker) as KeyBundle, { sign: (data: string) => attacker.sign(data) }),
    ];
    Object.defineProperty(signers[1], 'publicKey', { value: victim.publicKey });
    for (const signer of signers) {
      const jwt = createUserJwt(user, signer as KeyBundle, options);
      await refusal('ERR_JWT_SIGNATURE', () => decodeUserJwt(jwt));
      await refusal('ERR_CREDS_JWT_SIGNATURE', () => generateCredsFile(jwt, user.seed));
    }
  });

  it('names the key that signed it: the public key of a bundle cannot be changed', () => {
    const [victim, attacker] = [generateKeyBundle('account'), generateKeyBundle('account')];
    expect(() => Object.assign(attacker, { publicKey: victim.publicKey })).toThrow(TypeError);
    expect(() => Object.assign(attacker, { sign: () => new Uint8Array(64) })).toThrow(TypeError);
    expect(attacker.publicKey).not.toBe(victim.publicKey);
  });
});

describe('the cache of verified JWTs', () => {
  it('is bounded, and keeps entries in use', () => {
    const remembered = new VerifiedJwts(10);
    remembered.add(entryOf('A', 'in use'));
    for (let i = 0; i < 1_000; i++) {
      remembered.add(entryOf('A', `jwt ${i}`));
      expect(remembered.has(entryOf('A', 'in use'))).toBe(true);
      expect(remembered.size).toBeLessThanOrEqual(20);
    }
    expect(remembered.has(entryOf('A', 'jwt 999'))).toBe(true);
    expect(remembered.has(entryOf('A', 'jwt 1'))).toBe(false);
  });

  it('is bound to the signer', () => {
    const remembered = new VerifiedJwts(10);
    remembered.add(entryOf('A', 'jwt'));
    expect(remembered.has(entryOf('B', 'jwt'))).toBe(false);
    expect(remembered.has(entryOf('A j', 'wt'))).toBe(false);
  });
});

/** The same claims signed by hand: the signature is unknown in this process. */
function forged(jwt: string, signer: Parameters<typeof forge>[1]): string {
  return forge({ ...partsOf(jwt).claims, aud: 'x' }, signer);
}

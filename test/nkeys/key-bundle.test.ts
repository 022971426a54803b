import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  generateCurveKey,
  generateKeyBundle,
  loadKeyBundle,
  publicKeyFromSeed,
  ROLES,
  validatePublicKey,
  type Role,
} from '../../src/index.js';
import { encodeSeed } from '../../src/nkeys/encoding.js';
import { isPublicKey } from '../../src/nkeys/validate.js';
import { verifySignature } from '../../src/nkeys/verify.js';
import { expectNoSeed, refusal } from '../support/refusal.js';

const LETTER = { operator: 'O', account: 'A', user: 'U' } as const;

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}

describe.each(ROLES)('a generated key of the role %s', (role) => {
  const key = generateKeyBundle(role);

  it('has a public key and a seed of that role', () => {
    expect(key.role).toBe(role);
    expect(key.publicKey).toMatch(new RegExp(`^${LETTER[role]}[A-Z2-7]{55}$`));
    expect(text(key.seed)).toMatch(new RegExp(`^S${LETTER[role]}[A-Z2-7]{56}$`));
  });

  it('is different each time', () => {
    expect(generateKeyBundle(role).publicKey).not.toBe(key.publicKey);
  });

  it('is the same key when loaded from its seed, as bytes, as a Buffer and as text with white space around it', () => {
    for (const seed of [key.seed, Buffer.from(key.seed), text(key.seed), ` \r\n${text(key.seed)}\n`]) {
      const loaded = loadKeyBundle(role, seed);
      expect(loaded.publicKey).toBe(key.publicKey);
      expect(text(loaded.seed)).toBe(text(key.seed));
    }
    expect(publicKeyFromSeed(key.seed)).toBe(key.publicKey);
  });

  it('verifies its own signatures, and no others', () => {
    const signature = key.sign('hello');
    expect(signature).toHaveLength(64);
    expect(key.verify('hello', signature)).toBe(true);
    expect(key.verify(Buffer.from('hello'), signature)).toBe(true);
    expect(key.verify('hellp', signature)).toBe(false);
    expect(generateKeyBundle(role).verify('hello', signature)).toBe(false);
    expect(key.verify('hello', signature.slice(0, 63))).toBe(false);
    expect(key.verify('hello', new Uint8Array(64))).toBe(false);
    expect(key.verify('hello', new Uint8Array())).toBe(false);
  });

  it('signs the same when loaded as when generated', () => {
    expect(loadKeyBundle(role, key.seed).sign('x')).toEqual(key.sign('x'));
  });

  it('shows no seed in console.log, util.inspect, JSON.stringify, template strings or structuredClone', () => {
    key.sign('so that the private key is imported and cached');
    expectNoSeed(key, key.seed);
    expect(String(key)).toContain(key.publicKey);
    expect(JSON.parse(JSON.stringify(key))).toEqual({ role, publicKey: key.publicKey });
    expect(structuredClone(key)).toEqual({ role, publicKey: key.publicKey });
  });

  it('gives its seed as a copy: wiping that leaves the key whole', () => {
    const copy = key.seed;
    copy.fill(0);
    expect(text(key.seed)).toMatch(/^S/);
  });
});

describe('a wiped key', () => {
  it('neither signs nor gives its seed, and still verifies', async () => {
    const key = generateKeyBundle('user');
    const signature = key.sign('x');
    const seed = key.seed;
    expect(key.wiped).toBe(false);
    key.wipe();
    key.wipe();
    expect(key.wiped).toBe(true);
    await refusal('ERR_KEY_WIPED', () => key.sign('x'), seed);
    await refusal('ERR_KEY_WIPED', () => key.seed, seed);
    await refusal('ERR_KEY_WIPED', () => key.curvePublicKey(), seed);
    await refusal('ERR_KEY_WIPED', () => key.saveSeedToFile('not-written.seed'), seed);
    expect(key.verify('x', signature)).toBe(true);
  });
});

describe('a seed is refused', () => {
  const user = generateKeyBundle('user');

  it.each([
    ['operator', 'account'],
    ['operator', 'user'],
    ['account', 'operator'],
    ['account', 'user'],
    ['user', 'operator'],
    ['user', 'account'],
  ] as [Role, Role][])('of the role %s where one of the role %s is needed', async (given, wanted) => {
    const key = generateKeyBundle(given);
    const error = await refusal('ERR_KEY_ROLE', () => loadKeyBundle(wanted, key.seed), key.seed);
    expect(error.message).toContain(given);
    expect(error.message).toContain(wanted);
  });

  it('of a curve key where a signing key is needed', async () => {
    const curve = generateCurveKey();
    await refusal('ERR_KEY_ROLE', () => loadKeyBundle('user', curve.seed), curve.seed);
  });

  it('when it is a public key, which the message repeats', async () => {
    const error = await refusal('ERR_KEY_NOT_A_SEED', () => loadKeyBundle('user', user.publicKey));
    expect(error.message).toContain(user.publicKey);
  });

  it('that is damaged', async () => {
    const seed = text(user.seed);
    const damaged = seed.slice(0, 20) + (seed[20] === 'A' ? 'B' : 'A') + seed.slice(21);
    await refusal('ERR_KEY_CHECKSUM', () => loadKeyBundle('user', damaged), seed, damaged);
  });

  it.each([
    ['nothing', ''],
    ['too short', (seed: string) => seed.slice(0, -1)],
    ['too long', (seed: string) => `${seed}A`],
    ['of lower case', (seed: string) => seed.toLowerCase()],
    ['with characters that are not base32', (seed: string) => `${seed.slice(0, -1)}1`],
    ['with a space in it', (seed: string) => `${seed.slice(0, 20)} ${seed.slice(21)}`],
    ['two seeds', (seed: string) => seed + seed],
    ['with a look-alike letter', (seed: string) => `Ѕ${seed.slice(1)}`],
  ])('that is %s', async (_, change) => {
    const seed = text(user.seed);
    const given = typeof change === 'string' ? change : change(seed);
    await refusal('ERR_KEY_ENCODING', () => loadKeyBundle('user', given), seed, seed.slice(0, -1));
    await refusal('ERR_KEY_ENCODING', () => publicKeyFromSeed(given), seed, seed.slice(0, -1));
  });

  it('that is neither bytes nor a string', async () => {
    for (const given of [undefined, null, 1, {}, []]) {
      await refusal('ERR_KEY_ENCODING', () => loadKeyBundle('user', given as unknown as string));
    }
  });

  it('given in the place of the role, without being shown', async () => {
    await refusal('ERR_KEY_ROLE', () => loadKeyBundle(text(user.seed) as Role, 'user'), user.seed);
    await refusal('ERR_KEY_ROLE', () => loadKeyBundle(user.seed as unknown as Role, 'user'), user.seed);
    await refusal('ERR_KEY_ROLE', () => generateKeyBundle('server' as Role));
  });
});

describe('validatePublicKey', () => {
  it('accepts a public key of the role, like isPublicKey', () => {
    for (const role of ROLES) {
      const { publicKey } = generateKeyBundle(role);
      validatePublicKey(publicKey, role);
      expect(isPublicKey(publicKey, role)).toBe(true);
    }
    validatePublicKey(generateCurveKey().publicKey, 'curve');
  });

  it('refuses another role, a seed, damaged text, and other text', async () => {
    const user = generateKeyBundle('user');
    const { publicKey } = user;
    await refusal('ERR_KEY_ROLE', () => validatePublicKey(publicKey, 'account'));
    await refusal('ERR_KEY_IS_A_SEED', () => validatePublicKey(text(user.seed), 'user'), user.seed);
    await refusal('ERR_KEY_IS_A_SEED', () => validatePublicKey(` ${text(user.seed)}`, 'user'), user.seed);
    const damaged = publicKey.slice(0, 9) + (publicKey[9] === 'A' ? 'B' : 'A') + publicKey.slice(10);
    await refusal('ERR_KEY_CHECKSUM', () => validatePublicKey(damaged, 'user'));
    await refusal('ERR_KEY_ENCODING', () => validatePublicKey('', 'user'));
    await refusal('ERR_KEY_ENCODING', () => validatePublicKey(publicKey.slice(1), 'user'));
    await refusal('ERR_KEY_ENCODING', () => validatePublicKey(publicKey.toLowerCase(), 'user'));
    await refusal('ERR_KEY_ENCODING', () => validatePublicKey(7 as unknown as string, 'user'));
    expect(isPublicKey(damaged, 'user')).toBe(false);
  });
});

describe('a seed saved to a file', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'zester-test-'));
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  it('is the seed and a line end, mode 0600', async () => {
    const key = generateKeyBundle('account');
    const path = join(directory, 'account.seed');
    await key.saveSeedToFile(path);
    expect(await readFile(path, 'latin1')).toBe(`${text(key.seed)}\n`);
    expect((await stat(path)).mode & 0o7777).toBe(0o600);
  });
});

describe('for any 32 secret bytes', () => {
  it('signatures of any data verify', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        fc.uint8Array({ maxLength: 300 }),
        fc.constantFrom(...ROLES),
        (raw, data, role) => {
          const key = loadKeyBundle(role, encodeSeed(role, raw));
          const signature = key.sign(data);
          expect(key.verify(data, signature)).toBe(true);
          const changed = Uint8Array.of(...data, 0);
          expect(key.verify(changed, signature)).toBe(false);
        },
      ),
    );
  });

  it('more public keys than the import cache holds still verify', () => {
    const signed = Array.from({ length: 1100 }, () => {
      const key = generateKeyBundle('user');
      return { publicKey: key.publicKey, signature: key.sign('x') };
    });
    expect(signed.every(({ publicKey, signature }) => verifySignature(publicKey, 'x', signature))).toBe(true);
    expect(signed.every(({ publicKey, signature }) => verifySignature(publicKey, 'x', signature))).toBe(true);
  });
});

import * as nkeys from '@nats-io/nkeys';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  generateCurveKey,
  generateKeyBundle,
  loadCurveKey,
  loadKeyBundle,
  publicKeyFromSeed,
  ROLES,
} from '../../src/index.js';
import { encodeSeed } from '../../src/nkeys/encoding.js';
import { verifySignature } from '../../src/nkeys/verify.js';

const create = {
  operator: nkeys.createOperator,
  account: nkeys.createAccount,
  user: nkeys.createUser,
} as const;
const encoder = new TextEncoder();

describe.each(ROLES)('with @nats-io/nkeys, for the role %s', (role) => {
  it('a seed of ours is the same key there', () => {
    const ours = generateKeyBundle(role);
    const theirs = nkeys.fromSeed(ours.seed);
    expect(theirs.getPublicKey()).toBe(ours.publicKey);
    expect(theirs.getSeed()).toEqual(ours.seed);
  });

  it('a seed of theirs is the same key here', () => {
    const theirs = create[role]();
    const ours = loadKeyBundle(role, theirs.getSeed());
    expect(ours.publicKey).toBe(theirs.getPublicKey());
    expect(ours.seed).toEqual(theirs.getSeed());
    expect(publicKeyFromSeed(theirs.getSeed())).toBe(theirs.getPublicKey());
  });

  it('signatures are byte for byte the same, and each verifies those of the other', () => {
    const ours = generateKeyBundle(role);
    const theirs = nkeys.fromSeed(ours.seed);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (data) => {
        const signature = ours.sign(data);
        expect(Buffer.from(theirs.sign(data)).equals(signature)).toBe(true);
        expect(nkeys.fromPublic(ours.publicKey).verify(data, signature)).toBe(true);
        expect(verifySignature(theirs.getPublicKey(), data, theirs.sign(data))).toBe(true);
      }),
      { numRuns: 10 },
    );
  });

  it('text is signed as its UTF-8 bytes', () => {
    const ours = generateKeyBundle(role);
    const word = 'Grüße 🍋';
    expect(nkeys.fromPublic(ours.publicKey).verify(encoder.encode(word), ours.sign(word))).toBe(true);
  });

  it('any 32 secret bytes make the same key', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (raw) => {
        const seed = encodeSeed(role, raw);
        expect(nkeys.fromSeed(seed).getPublicKey()).toBe(publicKeyFromSeed(seed));
      }),
      { numRuns: 15 },
    );
  });
});

describe('with @nats-io/nkeys, for curve keys', () => {
  it('a seed of ours is the same key there', () => {
    const ours = generateCurveKey();
    const theirs = nkeys.fromCurveSeed(ours.seed);
    expect(theirs.getPublicKey()).toBe(ours.publicKey);
    expect(theirs.getSeed()).toEqual(ours.seed);
  });

  it('a seed of theirs is the same key here', () => {
    const theirs = nkeys.createCurve();
    const ours = loadCurveKey(theirs.getSeed());
    expect(ours.publicKey).toBe(theirs.getPublicKey());
    expect(ours.seed).toEqual(theirs.getSeed());
  });

  it('our key opens messages sealed to it', () => {
    const ours = generateCurveKey();
    const sender = nkeys.createCurve();
    const sealed = sender.seal(encoder.encode('for you'), ours.publicKey);
    const opened = nkeys.fromCurveSeed(ours.seed).open(sealed, sender.getPublicKey());
    expect(Buffer.from(opened ?? []).toString()).toBe('for you');
  });

  it("a signing key's curve key is the curve key of the same secret bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (raw) => {
        const user = loadKeyBundle('user', encodeSeed('user', raw));
        expect(user.curvePublicKey()).toBe(nkeys.fromCurveSeed(encodeSeed('curve', raw)).getPublicKey());
      }),
      { numRuns: 15 },
    );
  });
});

import { describe, expect, it } from 'vitest';
import { generateCurveKey, generateKeyBundle, loadCurveKey, publicKeyFromSeed } from '../../src/index.js';
import { expectNoSeed, refusal } from '../support/refusal.js';

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}

describe('a curve key', () => {
  it('has a public key X… and a seed SX…', () => {
    const key = generateCurveKey();
    expect(key.publicKey).toMatch(/^X[A-Z2-7]{55}$/);
    expect(text(key.seed)).toMatch(/^SX[A-Z2-7]{56}$/);
  });

  it('is the same key when loaded from its seed', () => {
    const key = generateCurveKey();
    expect(loadCurveKey(key.seed).publicKey).toBe(key.publicKey);
    expect(loadCurveKey(text(key.seed)).publicKey).toBe(key.publicKey);
    expect(publicKeyFromSeed(key.seed)).toBe(key.publicKey);
  });

  it('shows no seed in any way of printing it', () => {
    const key = generateCurveKey();
    expectNoSeed(key, key.seed);
    expect(JSON.parse(JSON.stringify(key))).toEqual({ role: 'curve', publicKey: key.publicKey });
  });

  it('gives no seed once wiped', async () => {
    const key = generateCurveKey();
    const seed = key.seed;
    key.wipe();
    await refusal('ERR_KEY_WIPED', () => key.seed, seed);
  });

  it('is not loaded from the seed of a signing key', async () => {
    const user = generateKeyBundle('user');
    await refusal('ERR_KEY_ROLE', () => loadCurveKey(user.seed), user.seed);
  });
});

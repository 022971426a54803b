import { describe, expect, it } from 'vitest';
import { CredsError, generateKeyBundle } from '../../src/index.js';
import { expectNoSeed, refusal } from './refusal.js';

const { seed } = generateKeyBundle('user');
const text = Buffer.from(seed).toString('latin1');

describe('the check that no seed shows', () => {
  it.each([
    ['a property', { any: { depth: { at: { all: text } } } }],
    ['a property that does not enumerate', Object.defineProperty({}, 'hidden', { value: text })],
    ['its bytes', { seed }],
    ['its bytes in a Buffer', { seed: Buffer.from(seed) }],
    ['its hexadecimal text', { seed: Buffer.from(seed).toString('hex') }],
    ['its base64 text', { seed: Buffer.from(seed).toString('base64') }],
    ['the text of an error', new Error(`bad seed ${text}`)],
    ['the cause of an error', new Error('bad seed', { cause: new Error(text) })],
    ['most of it', { shown: text.slice(0, 50) }],
  ])('finds %s', (_, value) => {
    expect(() => expectNoSeed(value, seed)).toThrow();
  });

  it('does not mistake a public key for one', () => {
    expectNoSeed({ publicKey: generateKeyBundle('user').publicKey }, seed);
    expectNoSeed({ publicKey: `UD3Z${text.slice(0, 52)}` });
  });

  it('does not mistake the ID of a JWT for one, which may begin with S', () => {
    expectNoSeed({ jti: `SU${'A'.repeat(50)}` });
    expect(() => expectNoSeed({ jti: `SU${'A'.repeat(51)}` })).toThrow();
  });
});

describe('the check that something is refused', () => {
  it('fails when it is not, when it is for another reason, and when it is not a ZesterError', async () => {
    await expect(refusal('ERR_CREDS_NO_JWT', () => undefined)).rejects.toThrow('it was not refused');
    await expect(
      refusal('ERR_CREDS_NO_JWT', () => {
        throw new CredsError('ERR_CREDS_NO_SEED', 'x', 'no seed');
      }),
    ).rejects.toThrow();
    await expect(
      refusal('ERR_CREDS_NO_JWT', () => {
        throw new TypeError('x');
      }),
    ).rejects.toThrow();
  });
});

import { describe, expect, it } from 'vitest';
import { generateKeyBundle, redactSeeds, ZesterError } from '../src/index.js';
import { makeCredentials } from './creds/credentials.js';

describe('redacting seeds', () => {
  const { text, seed, jwt } = makeCredentials();

  it.each<[string, (creds: string) => string]>([
    ['base64', (creds) => Buffer.from(creds).toString('base64')],
    ['base64url', (creds) => Buffer.from(creds).toString('base64url')],
    ['base64 of text that begins one byte earlier', (creds) => Buffer.from(`x${creds}`).toString('base64')],
    ['base64 behind other characters of base64', (creds) => `/a/b${Buffer.from(creds).toString('base64')}`],
  ])('takes out a seed in %s', (_, encode) => {
    const encoded = encode(text);
    expect(redactSeeds(`cannot use ${encoded}: why`)).toBe('cannot use (a seed, encoded): why');
    expect(new ZesterError('ERR_USAGE', `cannot use ${encoded}`).message).not.toContain(
      encoded.slice(300, 340),
    );
    expect(redactSeeds(encode(seed))).toBe('(a seed, encoded)');
  });

  it('leaves a JWT, keys and hashes unchanged', () => {
    const { publicKey } = generateKeyBundle('account');
    for (const harmless of [jwt, publicKey, 'a'.repeat(128), Buffer.from(jwt).toString('base64')])
      expect(redactSeeds(harmless)).toBe(harmless);
  });
});

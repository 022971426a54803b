import { describe, expect, it } from 'vitest';
import { generateCredsFile, parseCredsData } from '../../src/index.js';
import { expectNoSeed, refusal } from '../support/refusal.js';
import { verifySignature } from '../../src/nkeys/verify.js';
import { authenticate, makeCredentials, text } from './credentials.js';

const made = makeCredentials();
const parse = () => parseCredsData(made.text, 'embedded-creds');

describe('parsed credentials', () => {
  it('show no seed in console.log, util.inspect, JSON.stringify, template strings or structuredClone', () => {
    expectNoSeed(parse(), made.seed);
    expect(String(parse())).toContain('web-01');
    expect(JSON.parse(JSON.stringify(parse()))).toEqual({
      path: 'embedded-creds',
      source: 'bytes',
      name: 'web-01',
      publicKey: made.user.publicKey,
      jwt: made.jwt,
    });
  });

  it('give options that show no seed either', () => {
    expectNoSeed(parse().natsOption(), made.seed);
  });

  it('sign the nonce of the server with the key of the JWT', () => {
    const answer = authenticate(parse().natsOption(), 'a nonce');
    expect(answer).toMatchObject({ jwt: made.jwt, nkey: made.user.publicKey });
    const signature = Buffer.from(answer?.['sig'] ?? '', 'base64url');
    expect(verifySignature(made.user.publicKey, 'a nonce', signature)).toBe(true);
  });

  it('sign nothing for a server that sends no nonce', () => {
    expect(authenticate(parse().natsOption())).toMatchObject({ sig: '' });
    expect(authenticate(parse().natsOption(), '')).toMatchObject({ sig: '' });
  });

  it('give the seed as a copy', () => {
    const creds = parse();
    creds.seed.fill(0);
    expect(text(creds.seed)).toBe(made.seed);
  });

  it('once wiped neither give the seed nor sign, and say so', async () => {
    const creds = parse();
    creds.wipe();
    await refusal('ERR_CREDS_WIPED', () => creds.seed, made.seed);
    await refusal('ERR_CREDS_WIPED', () => creds.authenticate('x'), made.seed);
  });
});

describe('generateCredsFile', () => {
  it('accepts the seed as bytes or text, with surrounding white space', () => {
    for (const seed of [
      made.seed,
      made.user.seed,
      Buffer.from(made.seed),
      ` ${made.seed}\n`,
      Buffer.from(`${made.seed}\r\n`),
    ]) {
      expect(text(generateCredsFile(`\n${made.jwt} `, seed))).toBe(made.text);
    }
  });

  it('does not change its input', () => {
    const seed = Buffer.from(made.seed);
    generateCredsFile(made.jwt, seed);
    expect(seed.toString()).toBe(made.seed);
  });

  it('rejects mismatched parts, and text that is not a JWT or a seed', async () => {
    const other = makeCredentials();
    await refusal(
      'ERR_CREDS_SEED_MISMATCH',
      () => generateCredsFile(made.jwt, other.seed),
      made.seed,
      other.seed,
    );
    await refusal(
      'ERR_CREDS_SEED_ROLE',
      () => generateCredsFile(made.jwt, made.account.seed),
      made.account.seed,
    );
    await refusal('ERR_CREDS_JWT_FORMAT', () => generateCredsFile('x', made.seed), made.seed);
    await refusal('ERR_CREDS_NO_JWT', () => generateCredsFile('', made.seed), made.seed);
    await refusal('ERR_CREDS_NO_SEED', () => generateCredsFile(made.jwt, ''));
    await refusal('ERR_CREDS_INPUT', () => generateCredsFile(7 as unknown as string, made.seed), made.seed);
    await refusal('ERR_CREDS_INPUT', () => generateCredsFile(made.jwt, null as unknown as string));
    await refusal('ERR_CREDS_JWT_FORMAT', () => generateCredsFile(made.seed, made.jwt), made.seed);
  });

  it('refuses a JWT or a seed that would bring sections of its own', async () => {
    const other = makeCredentials();
    const section = '\n------END NATS USER JWT------\n-----BEGIN NATS USER JWT-----\n';
    await refusal(
      'ERR_CREDS_DUPLICATE_JWT',
      () => generateCredsFile(other.jwt + section + made.jwt, made.seed),
      made.seed,
    );
    await refusal(
      'ERR_CREDS_FORMAT',
      () => generateCredsFile(made.jwt, `${made.seed}\n${other.seed}`),
      made.seed,
    );
  });
});

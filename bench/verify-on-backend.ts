// Measures verifying on the implementation of Ed25519 that ZESTER_ED25519 names. A program of its own: see backends.ts.
import { createPublicKey, verify as cryptoVerify } from 'node:crypto';
import {
  createAccountJwt,
  createOperatorJwt,
  createUserJwt,
  generateKeyBundle,
  peelPermissionsTemplate,
  validateJwtChain,
} from '../src/index.js';
import { decodePublicKey } from '../src/nkeys/encoding.js';
import { loadSodium } from '../src/nkeys/ed25519/load-sodium.js';
import type { PartResult } from './backends.js';
import { publish, subscribe } from './forty-permissions.js';
import { measure } from './measure.js';

type Chain = readonly [operator: string, account: string, user: string];

/** A chain of keys of its own. */
function newChain(isScoped: boolean): Chain {
  const [operator, account] = [generateKeyBundle('operator'), generateKeyBundle('account')];
  const [signingKey, user] = [generateKeyBundle('account'), generateKeyBundle('user')];
  const options = isScoped
    ? { name: 'web-01', issuerAccount: account.publicKey, scoped: true }
    : { name: 'web-01', permissions: { publish: { allow: publish }, subscribe: { allow: subscribe } } };
  return [
    createOperatorJwt(operator, { name: 'bench' }),
    createAccountJwt(account, operator, {
      name: 'fleet',
      signingKeys: [
        { publicKey: signingKey.publicKey, role: 'peel', permissions: peelPermissionsTemplate() },
      ],
    }),
    createUserJwt(user, isScoped ? signingKey : account, options),
  ];
}

/** Each once: what was verified is remembered. */
function unseen(chains: Chain[]): () => Chain {
  return () => {
    const chain = chains.pop();
    if (chain === undefined) throw new Error('the bench has too few chains');
    return chain;
  };
}

/** One signature verified by the library itself, its key imported before. */
function bareVerification(jwt: string): () => boolean {
  const [header = '', payload = '', signature = ''] = jwt.split('.');
  const { iss } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { iss: string };
  const [data, bytes] = [Buffer.from(`${header}.${payload}`), Buffer.from(signature, 'base64url')];
  const raw = decodePublicKey(iss).raw;
  const { sodium } = process.env['ZESTER_ED25519'] === 'sodium' ? loadSodium() : { sodium: undefined };
  if (sodium !== undefined) return () => sodium.crypto_sign_verify_detached(bytes, data, raw);
  const x = Buffer.from(raw).toString('base64url');
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  return () => cryptoVerify(null, data, key, bytes);
}

const CHAINS = 4_000;
const result: PartResult = { times: {}, ratios: {} };
for (const kind of ['40 permissions', 'scoped'] as const) {
  const isScoped = kind === 'scoped';
  const next = unseen(Array.from({ length: CHAINS }, () => newChain(isScoped)));
  const known = newChain(isScoped);
  const bare = known.map(bareVerification);
  const { times, ratio } = await measure(
    {
      'new chain': { timesPerRound: 10, run: () => validateJwtChain(...next()) },
      'three bare verifications': {
        timesPerRound: 10,
        run: () => {
          if (!bare.every((verify) => verify())) throw new Error('a signature of the bench does not hold');
        },
      },
      'known chain': { timesPerRound: 100, run: () => validateJwtChain(...known) },
    },
    60,
  );
  for (const [name, time] of Object.entries(times)) result.times[`${name}, ${kind}`] = time;
  result.ratios[kind] = ratio('new chain', 'three bare verifications');
}
process.stdout.write(JSON.stringify(result));

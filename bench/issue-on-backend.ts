// Measures issuing on the implementation of Ed25519 that ZESTER_ED25519 names. A program of its own: see backends.ts.
import { createPrivateKey, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bootstrapPeelCreds, createUserJwt, generateCredsFile, generateKeyBundle } from '../src/index.js';
import { peelUserJwtOptions } from '../src/index.js';
import type { KeyBundle, UserJwtOptions } from '../src/index.js';
import type { PartResult } from './backends.js';
import { publish, subscribe } from './forty-permissions.js';
import { measure } from './measure.js';

const account = generateKeyBundle('account');
const signingKey = generateKeyBundle('account');
const issuerAccount = account.publicKey;
const kinds: Readonly<Record<string, { signer: KeyBundle; options: UserJwtOptions }>> = {
  '40 permissions': {
    signer: account,
    options: {
      name: 'web-server-01',
      permissions: { publish: { allow: publish }, subscribe: { allow: subscribe } },
    },
  },
  "a peel's own permissions": {
    signer: account,
    options: peelUserJwtOptions('web-server-01', issuerAccount, { expiry: 86_400 }),
  },
  scoped: { signer: signingKey, options: { name: 'web-server-01', issuerAccount, scoped: true } },
};

/** The public path: what a user calls. */
function issueOne({ signer, options }: { signer: KeyBundle; options: UserJwtOptions }): Uint8Array {
  const user = generateKeyBundle('user');
  return generateCredsFile(createUserJwt(user, signer, options), user.seed);
}

/** A private key for the bare signatures. Not exported from a KeyObject: on Node 20 that may hang. */
function bareKey(): KeyObject {
  const { privateKey } = generateKeyPairSync('ed25519', {
    privateKeyEncoding: { format: 'pem', type: 'pkcs8' },
    publicKeyEncoding: { format: 'pem', type: 'spki' },
  });
  return createPrivateKey(privateKey);
}

const bareSigner = bareKey();
const dir = await mkdtemp(join(tmpdir(), 'zester-bench-'));
const result: PartResult = { times: {}, ratios: {} };
try {
  for (const [kind, what] of Object.entries(kinds)) {
    const jwt = createUserJwt(generateKeyBundle('user'), what.signer, what.options);
    const signed = Buffer.from(jwt.slice(0, jwt.lastIndexOf('.')));
    const { times, ratio } = await measure(
      {
        zester: { timesPerRound: 40, run: () => issueOne(what) },
        bare: {
          timesPerRound: 40,
          run: () => {
            generateKeyPairSync('ed25519');
            return sign(null, signed, bareSigner);
          },
        },
      },
      200,
    );
    result.times[kind] = times.zester;
    result.times[`bare node:crypto, ${kind}`] = times.bare;
    result.ratios[kind] = ratio('zester', 'bare');
  }
  let i = 0;
  const { times } = await measure(
    {
      bootstrap: {
        timesPerRound: 5,
        run: () => bootstrapPeelCreds(account, 'web-01', join(dir, `${i++ % 50}.creds`)),
      },
    },
    40,
  );
  result.times['bootstrapPeelCreds, with the file'] = times.bootstrap;
} finally {
  await rm(dir, { recursive: true, force: true });
}
process.stdout.write(JSON.stringify(result));

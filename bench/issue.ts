import { createUser, encodeUser, fmtCreds, fromSeed } from '@nats-io/jwt';
import { createPrivateKey, generateKeyPairSync, sign } from 'node:crypto';
import { formatCreds } from '../src/creds/format.js';
import { createUserJwt, type UserJwtOptions } from '../src/jwt/user.js';
import { generateKeyBundle, type KeyBundle } from '../src/nkeys/key-bundle.js';
import { publish, subscribe } from './forty-permissions.js';
import { measure } from './measure.js';
import { printBars, printTimes } from './report.js';

/**
 * One credential: a new user key, its JWT signed, the bytes of the `.creds` file. Beside it what `node:crypto` needs for
 * the part that nobody can avoid: one key generated, one signature.
 */
export async function issue(): Promise<boolean> {
  const account = generateKeyBundle('account');
  const signingKey = generateKeyBundle('account');
  const theirAccount = fromSeed(account.seed);
  const theirSigningKey = fromSeed(signingKey.seed);

  const explicit: UserJwtOptions = {
    name: 'web-server-01',
    permissions: { publish: { allow: publish }, subscribe: { allow: subscribe } },
  };
  const scoped: UserJwtOptions = { name: 'web-server-01', issuerAccount: account.publicKey, scoped: true };
  const ours = (signer: KeyBundle, options: UserJwtOptions) => () => {
    const user = generateKeyBundle('user');
    return formatCreds(createUserJwt(user, signer, options), user.seed);
  };

  const toSign = Buffer.alloc(600, 'x');
  // a pair of Node's own; nothing of it is exported (docs/nats-facts.md, 22)
  const bareKey = generateKeyPairSync('ed25519', {
    privateKeyEncoding: { format: 'pem', type: 'pkcs8' },
    publicKeyEncoding: { format: 'pem', type: 'spki' },
  }).privateKey;
  const bareSigner = createPrivateKey(bareKey);

  const times = await measure(
    {
      'zester, 40 permissions': { timesPerRound: 100, run: ours(account, explicit) },
      'zester, scoped': { timesPerRound: 100, run: ours(signingKey, scoped) },
      'node:crypto, one key and one signature': {
        timesPerRound: 100,
        run: () => {
          generateKeyPairSync('ed25519');
          return sign(null, toSign, bareSigner);
        },
      },
      '@nats-io/jwt, 40 permissions': {
        timesPerRound: 1,
        run: async () => {
          const user = createUser();
          const jwt = await encodeUser('web-server-01', user, theirAccount, {
            pub: { allow: publish },
            sub: { allow: subscribe },
          });
          return fmtCreds(jwt, user);
        },
      },
      '@nats-io/jwt, scoped': {
        timesPerRound: 1,
        run: async () => {
          const user = createUser();
          const options = { signer: theirSigningKey, scopedUser: true };
          return fmtCreds(await encodeUser('web-server-01', user, theirAccount, {}, options), user);
        },
      },
    },
    60,
  );
  console.log('issue: a user key, its JWT, the bytes of its .creds file (median of one)');
  printTimes(times);
  const bare = times['node:crypto, one key and one signature'];
  return printBars([
    {
      what: '40 permissions: faster than @nats-io/jwt',
      ratio: times['@nats-io/jwt, 40 permissions'] / times['zester, 40 permissions'],
      bound: 150,
      kind: 'at least',
    },
    {
      what: 'scoped: faster than @nats-io/jwt',
      ratio: times['@nats-io/jwt, scoped'] / times['zester, scoped'],
      bound: 150,
      kind: 'at least',
    },
    {
      what: '40 permissions: cost against bare node:crypto',
      ratio: times['zester, 40 permissions'] / bare,
      bound: 1.4,
      kind: 'at most',
    },
    {
      what: 'scoped: cost against bare node:crypto',
      ratio: times['zester, scoped'] / bare,
      bound: 1.4,
      kind: 'at most',
    },
  ]);
}

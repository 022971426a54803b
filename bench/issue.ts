import { createUser, encodeUser, fmtCreds, fromSeed } from '@nats-io/jwt';
import { createPrivateKey, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { formatCreds } from '../src/creds/format.js';
import { createUserJwt, type UserJwtOptions } from '../src/jwt/user.js';
import { generateKeyBundle, type KeyBundle } from '../src/nkeys/key-bundle.js';
import { publish, subscribe } from './forty-permissions.js';
import { measure } from './measure.js';
import { printBars, printTimes } from './report.js';

/**
 * One credential: a new user key, its JWT signed, the bytes of the `.creds` file. Beside it what `node:crypto` needs for
 * the part that nobody can avoid: one key generated, one signature over the same bytes.
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

  const bareSigner = bareKey();
  const bare = (jwt: string) => {
    const signed = Buffer.from(jwt.slice(0, jwt.lastIndexOf('.')));
    return () => {
      generateKeyPairSync('ed25519');
      return sign(null, signed, bareSigner);
    };
  };
  const user = generateKeyBundle('user');

  const measured = await measure(
    {
      'zester, 40 permissions': { timesPerRound: 40, run: ours(account, explicit) },
      'node:crypto, one key and one signature, 40 permissions': {
        timesPerRound: 40,
        run: bare(createUserJwt(user, account, explicit)),
      },
      'zester, scoped': { timesPerRound: 40, run: ours(signingKey, scoped) },
      'node:crypto, one key and one signature, scoped': {
        timesPerRound: 40,
        run: bare(createUserJwt(user, signingKey, scoped)),
      },
    },
    300,
  );
  const theirs = await measure(
    {
      '@nats-io/jwt, 40 permissions': {
        timesPerRound: 1,
        run: async () => {
          const newUser = createUser();
          const jwt = await encodeUser('web-server-01', newUser, theirAccount, {
            pub: { allow: publish },
            sub: { allow: subscribe },
          });
          return fmtCreds(jwt, newUser);
        },
      },
      '@nats-io/jwt, scoped': {
        timesPerRound: 1,
        run: async () => {
          const newUser = createUser();
          const options = { signer: theirSigningKey, scopedUser: true };
          return fmtCreds(await encodeUser('web-server-01', newUser, theirAccount, {}, options), newUser);
        },
      },
    },
    40,
  );
  console.log('issue: a user key, its JWT, the bytes of its .creds file (processor time of one)');
  printTimes({ ...measured.times, ...theirs.times });
  const kinds = ['40 permissions', 'scoped'] as const;
  return printBars([
    ...kinds.map((kind) => ({
      what: `${kind}: faster than @nats-io/jwt`,
      ratio: theirs.times[`@nats-io/jwt, ${kind}`] / measured.times[`zester, ${kind}`],
      bound: 150,
      kind: 'at least' as const,
    })),
    ...kinds.map((kind) => ({
      what: `${kind}: cost against bare node:crypto`,
      ratio: measured.ratio(`zester, ${kind}`, `node:crypto, one key and one signature, ${kind}`),
      bound: 1.4,
      kind: 'at most' as const,
    })),
  ]);
}

/** A private key for the bare signatures. Not exported from a KeyObject: on Node 20 that may hang (`ed25519.ts`). */
function bareKey(): KeyObject {
  const { privateKey } = generateKeyPairSync('ed25519', {
    privateKeyEncoding: { format: 'pem', type: 'pkcs8' },
    publicKeyEncoding: { format: 'pem', type: 'spki' },
  });
  return createPrivateKey(privateKey);
}

import { createUser, encodeUser, fmtCreds, fromSeed } from '@nats-io/jwt';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateKeyBundle } from '../src/nkeys/key-bundle.js';
import { BACKENDS, onEachBackend, type Backend } from './backends.js';
import { againstGo } from './bulk/against-go.js';
import { publish, subscribe } from './forty-permissions.js';
import { measure } from './measure.js';
import { printBars, printTimes, type Bar } from './report.js';

const BOUNDS: Readonly<Record<Backend, number>> = { 'node:crypto': 1.15, 'sodium-native': 0.65 };

/**
 * One credential through the public API: a new user key, its JWT signed, the bytes of the `.creds` file, on each
 * implementation of Ed25519. Beside it what `node:crypto` needs for the part that nobody can avoid: one key generated, one
 * signature over the same bytes.
 */
export async function issue(): Promise<boolean> {
  const ours = onEachBackend('./issue-on-backend.js');
  const theirAccount = fromSeed(generateKeyBundle('account').seed);
  const theirSigningKey = fromSeed(generateKeyBundle('account').seed);
  const { times: theirs } = await measure(
    {
      '40 permissions': {
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
      scoped: {
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
  console.log('issue: generateKeyBundle, createUserJwt, generateCredsFile (processor time of one)');
  const bars: Bar[] = [];
  for (const backend of Object.keys(BACKENDS) as Backend[]) {
    console.log(` on ${backend}`);
    printTimes(ours[backend].times);
    for (const [kind, ratio] of Object.entries(ours[backend].ratios)) {
      const what = `${backend}, ${kind}: cost against bare node:crypto`;
      bars.push({ what, ratio, bound: BOUNDS[backend], kind: 'at most' });
    }
  }
  console.log(' by @nats-io/jwt');
  printTimes(theirs);
  for (const kind of ['40 permissions', 'scoped'] as const) {
    const ratio = theirs[kind] / (ours['node:crypto'].times[kind] ?? NaN);
    bars.push({ what: `${kind}: faster than @nats-io/jwt`, ratio, bound: 150, kind: 'at least' });
  }
  const dir = await mkdtemp(join(tmpdir(), 'zester-bench-'));
  try {
    bars.push(...(await againstGo(dir)));
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
  return printBars(bars);
}

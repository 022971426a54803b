import { writeCredsFile } from '../creds/generate.js';
import { loadJwtFile } from '../creds/load-jwt-file.js';
import { loadKeyBundleFromFile } from '../creds/load-key-bundle.js';
import { loadCredsFile } from '../creds/parse.js';
import { TrustError } from '../errors.js';
import { writeSecretFile } from '../files/write-secret-file.js';
import { createAccountJwt } from '../jwt/account.js';
import { decodeAccountJwt, decodeOperatorJwt } from '../jwt/decode.js';
import { createOperatorJwt } from '../jwt/operator.js';
import type { Clock } from '../jwt/time.js';
import { createUserJwt, type UserJwtOptions } from '../jwt/user.js';
import { generateKeyBundle, type KeyBundle } from '../nkeys/key-bundle.js';
import type { Role } from '../nkeys/roles.js';
import { adminUserJwtOptions, masterUserJwtOptions, peelPermissionsTemplate } from '../permissions/roles.js';
import { damaged, openTrustDomain } from './open.js';
import { trustPaths, type TrustPaths } from './paths.js';
import { ensurePrivateDirectory, isThere } from './private-files.js';
import { LAYOUT_VERSION, writeSettings } from './settings.js';
import type { TrustDomain } from './domain.js';

/** What can be chosen about a new trust domain. */
export interface CreateTrustDomainOptions {
  /** `zester` by default. */
  operatorName?: string;
  /** `fleet` by default. */
  accountName?: string;
  now?: Clock;
  /** Hears of each step: its file, and whether it was made now or was there. */
  onStep?: (step: { path: string; made: boolean }) => void;
}

/**
 * Makes the trust domain of a fleet in a home: an operator and its signing key, a system account, an account with
 * JetStream and the scoped signing key `peel`, and the credentials of a master, an admin and the system account.
 *
 * A home that has one is left as it is. A run that was interrupted is completed by the next.
 *
 * @throws TrustError when the home is exposed, damaged, or another domain's; FileError
 */
export async function createTrustDomain(
  home: string,
  options: CreateTrustDomainOptions = {},
): Promise<TrustDomain> {
  const paths = trustPaths(home);
  await ensurePrivateDirectory(paths.home);
  const steps = stepsOf(paths, options);
  if (await isThere(paths.settings)) {
    const domain = await openTrustDomain(home);
    refuseOtherNames(domain, options);
    for (const { path } of steps) options.onStep?.({ path, made: false });
    return domain;
  }
  for (const directory of [paths.keysDirectory, paths.jwtDirectory, paths.credsDirectory]) {
    await ensurePrivateDirectory(directory);
  }
  const done = await stepsDone(paths, steps);
  for (const [i, { path, make }] of steps.entries()) {
    const made = i >= done;
    if (made) await make();
    options.onStep?.({ path, made });
  }
  const domain = await openTrustDomain(home);
  refuseOtherNames(domain, options);
  return domain;
}

/** One file, made from what the steps before it left on disk: so any step can be the first of a run. */
interface Step {
  path: string;
  make: () => Promise<void>;
}

/**
 * The steps in their order. `zester.json` comes last and says that all are done. The system account's seed is kept
 * nowhere: its one user is made first, and the account's JWT from the public key that signed it.
 */
function stepsOf(paths: TrustPaths, options: CreateTrustDomainOptions): Step[] {
  const time = options.now === undefined ? {} : { now: options.now };
  const operatorPublicKey = () => withKey('operator', paths.operatorSeed, (key) => key.publicKey);
  const operatorSignerPublicKey = () =>
    withKey('operator', paths.operatorSigningSeed, (key) => key.publicKey);
  const accountPublicKey = () => withKey('account', paths.accountSeed, (key) => key.publicKey);
  const peelSignerPublicKey = () => withKey('account', paths.peelSigningSeed, (key) => key.publicKey);
  const systemPublicKey = async () => {
    const creds = await loadCredsFile(paths.systemCreds);
    creds.wipe();
    return creds.claims.iss;
  };
  const withOperatorSigner = (use: (key: KeyBundle) => string) =>
    withKey('operator', paths.operatorSigningSeed, use);
  const withAccount = (use: (key: KeyBundle) => Promise<void>) => withKey('account', paths.accountSeed, use);

  return [
    newKey('operator', paths.operatorSeed),
    newKey('operator', paths.operatorSigningSeed),
    newKey('account', paths.accountSeed),
    newKey('account', paths.peelSigningSeed),
    {
      path: paths.systemCreds,
      make: () =>
        withNewKey('account', (system) =>
          writeUser(paths.systemCreds, system, { name: 'zester-system', ...time }),
        ),
    },
    {
      path: paths.operatorJwt,
      make: async () => {
        const systemAccount = await systemPublicKey();
        const signingKeys = [await operatorSignerPublicKey()];
        const name = options.operatorName ?? DEFAULT_OPERATOR_NAME;
        const jwt = await withKey('operator', paths.operatorSeed, (operator) =>
          createOperatorJwt(operator, { name, systemAccount, signingKeys, ...time }),
        );
        await writeJwt(paths.operatorJwt, jwt);
      },
    },
    {
      path: paths.systemAccountJwt,
      make: async () => {
        const publicKey = await systemPublicKey();
        const jwt = await withOperatorSigner((signer) =>
          createAccountJwt(publicKey, signer, { name: SYSTEM_ACCOUNT_NAME, ...time }),
        );
        await writeJwt(paths.systemAccountJwt, jwt);
      },
    },
    {
      path: paths.accountJwt,
      make: async () => {
        const publicKey = await accountPublicKey();
        const peel = {
          publicKey: await peelSignerPublicKey(),
          role: 'peel',
          description: 'what every peel may do',
          permissions: peelPermissionsTemplate(),
        };
        const name = options.accountName ?? DEFAULT_ACCOUNT_NAME;
        const jwt = await withOperatorSigner((signer) =>
          createAccountJwt(publicKey, signer, { name, signingKeys: [peel], jetStream: true, ...time }),
        );
        await writeJwt(paths.accountJwt, jwt);
      },
    },
    {
      path: paths.masterCreds,
      make: () =>
        withAccount((account) =>
          writeUser(paths.masterCreds, account, masterUserJwtOptions(account.publicKey, time)),
        ),
    },
    {
      path: paths.adminCreds,
      make: () =>
        withAccount((account) =>
          writeUser(paths.adminCreds, account, adminUserJwtOptions(account.publicKey, time)),
        ),
    },
    {
      path: paths.settings,
      make: async () => {
        const operator = decodeOperatorJwt(await loadJwtFile(paths.operatorJwt));
        const systemAccount = decodeAccountJwt(await loadJwtFile(paths.systemAccountJwt));
        const account = decodeAccountJwt(await loadJwtFile(paths.accountJwt));
        await writeSettings(paths.settings, {
          version: LAYOUT_VERSION,
          createdAt: new Date((options.now ?? Date.now)()).toISOString(),
          operator: {
            name: operator.name ?? '',
            publicKey: await operatorPublicKey(),
            signingKey: await operatorSignerPublicKey(),
          },
          systemAccount: { name: systemAccount.name ?? '', publicKey: await systemPublicKey() },
          account: {
            name: account.name ?? '',
            publicKey: await accountPublicKey(),
            peelSigningKey: await peelSignerPublicKey(),
          },
        });
      },
    },
  ];
}

const DEFAULT_OPERATOR_NAME = 'zester';
const DEFAULT_ACCOUNT_NAME = 'fleet';
const SYSTEM_ACCOUNT_NAME = 'SYS';

/**
 * How many steps an interrupted run has done. It did them in order, so a file that is there behind one that is not means
 * that something took files away; making new keys beside old JWTs would only hide that.
 *
 * @throws TrustError `ERR_TRUST_DAMAGED`
 */
async function stepsDone(paths: TrustPaths, steps: readonly Step[]): Promise<number> {
  const there = await Promise.all(steps.map(({ path }) => isThere(path)));
  const last = there.lastIndexOf(true);
  const missing = steps.filter((_, i) => i < last && there[i] === false).map(({ path }) => path);
  if (missing.length > 0) throw damaged(paths.home, `missing: ${missing.join(', ')}`);
  return last + 1;
}

function refuseOtherNames(domain: TrustDomain, options: CreateTrustDomainOptions): void {
  for (const [what, wanted, is] of [
    ['operator', options.operatorName, domain.names.operator],
    ['account', options.accountName, domain.names.account],
  ] as const) {
    if (wanted === undefined || wanted === is) continue;
    throw new TrustError(
      'ERR_TRUST_NAMES',
      domain.home,
      `the trust domain in ${domain.home} has the ${what} "${is}", not "${wanted}": leave the name out, or give another --home`,
    );
  }
}

function newKey(role: Role, path: string): Step {
  return { path, make: () => withNewKey(role, (key) => key.saveSeedToFile(path)) };
}

async function withNewKey(role: Role, use: (key: KeyBundle) => Promise<void>): Promise<void> {
  const key = generateKeyBundle(role);
  try {
    await use(key);
  } finally {
    key.wipe();
  }
}

async function withKey<T>(role: Role, path: string, use: (key: KeyBundle) => T | Promise<T>): Promise<T> {
  const key = await loadKeyBundleFromFile(role, path);
  try {
    return await use(key);
  } finally {
    key.wipe();
  }
}

async function writeUser(path: string, signer: KeyBundle, options: UserJwtOptions): Promise<void> {
  await withNewKey('user', async (user) => {
    const seed = user.seed;
    try {
      await writeCredsFile(path, createUserJwt(user, signer, options), seed);
    } finally {
      seed.fill(0);
    }
  });
}

async function writeJwt(path: string, jwt: string): Promise<void> {
  await writeSecretFile(path, Buffer.from(`${jwt}\n`));
}

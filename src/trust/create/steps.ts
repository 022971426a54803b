// The files of a new home, in creation order.
import { writeCredsFile } from '../../creds/generate.js';
import { loadJwtFile } from '../../creds/load-jwt-file.js';
import { loadKeyBundleFromFile } from '../../creds/load-key-bundle.js';
import { loadCredsFile } from '../../creds/parse.js';
import { writeSecretFile } from '../../files/write-secret-file.js';
import { createAccountJwt } from '../../jwt/account.js';
import { decodeAccountJwt, decodeOperatorJwt } from '../../jwt/decode.js';
import { createOperatorJwt } from '../../jwt/operator.js';
import { reviseAccountJwt } from '../../jwt/revise-account.js';
import type { Clock } from '../../jwt/time.js';
import { createUserJwt, type UserJwtOptions } from '../../jwt/user.js';
import { generateKeyBundle, type KeyBundle } from '../../nkeys/key-bundle.js';
import type { Role } from '../../nkeys/roles.js';
import { FIRST_MASTER, type MasterLabel } from '../../permissions/master-label.js';
import { masterSigningKeys } from '../../permissions/master-roles.js';
import {
  adminUserJwtOptions,
  masterAnswersUserJwtOptions,
  masterUserJwtOptions,
} from '../../permissions/roles.js';
import { signingKeyOf, type AdoptedTrust } from './adopt.js';
import { joinSigningKey, peelSigningKey } from '../keys/signing-keys.js';
import { systemSigningKey } from '../keys/system-key.js';
import { ownFiles, type OwnUser } from '../own-creds.js';
import { ownRenewal, type OwnKeys } from '../own-renewal.js';
import { ownUsers } from '../own-users.js';
import type { TrustPaths } from '../paths.js';
import { LAYOUT_VERSION, writeSettings, type OwnRenewal } from '../settings.js';
import type { TlsFiles } from '../tls-settings.js';
import { SYSTEM_NAME } from '../../permissions/names.js';

/** One file, created from the files of earlier steps, so that a run can resume at any step. */
export interface Step {
  path: string;
  make: () => Promise<void>;
}

/** External inputs of the steps. */
export interface StepOptions {
  operatorName: string;
  accountName: string;
  servers?: readonly string[];
  tls?: TlsFiles;
  requireTls?: boolean;
  adopt?: AdoptedTrust;
  /** The lifetime of the home's own credentials, in seconds; 0 = they never expire. */
  credsLifetime: number;
  now?: Clock;
}

const SYSTEM_ACCOUNT_NAME = 'SYS';

/**
 * The steps that create a trust domain, in order. `zester.json` comes last, and marks the home as complete. Users come
 * before the accounts, whose signing keys have labels with the users' public keys. The seed of a new system account is
 * not stored: its only user is created first, and the account JWT later, from the public key in the user's JWT.
 */
export function stepsOf(paths: TrustPaths, options: StepOptions): Step[] {
  return [
    ...keySteps(paths, options),
    ...userSteps(paths, options),
    ...jwtSteps(paths, options),
    settingsStep(paths, options),
  ];
}

function keySteps(paths: TrustPaths, { adopt, credsLifetime }: StepOptions): Step[] {
  const steps: Step[] = [];
  if (adopt === undefined) steps.push(newKey('operator', paths.operatorSeed));
  else if (adopt.operator !== undefined) steps.push(savedKey(adopt.operator, paths.operatorSeed));
  steps.push(
    adopt === undefined
      ? newKey('operator', paths.operatorSigningSeed)
      : savedKey(adopt.operatorSigner, paths.operatorSigningSeed),
  );
  const identity = adoptedIdentity(adopt);
  if (identity !== undefined) steps.push(savedKey(identity, paths.accountSeed));
  else if (adopt?.accountJwt === undefined) steps.push(newKey('account', paths.accountSeed));
  steps.push(
    adopt?.peelSigner === undefined
      ? newKey('account', paths.peelSigningSeed)
      : savedKey(adopt.peelSigner, paths.peelSigningSeed),
    adopt?.joinSigner === undefined
      ? newKey('account', paths.joinSigningSeed)
      : savedKey(adopt.joinSigner, paths.joinSigningSeed),
  );
  if (credsLifetime > 0)
    steps.push(...Object.values(ownFiles(paths)).map(({ seedPath }) => newKey('account', seedPath)));
  return steps;
}

function userSteps(paths: TrustPaths, options: StepOptions): Step[] {
  const { adopt, credsLifetime, now } = options;
  const time = now === undefined ? {} : { now };
  const files = ownFiles(paths);
  const signed = (user: OwnUser, account: string) => {
    const { path, seedPath, options: of } = files[user];
    return withKey('account', seedPath, (signer) =>
      writeUser(path, signer, { ...of(account), ...time, expiry: credsLifetime }),
    );
  };
  const makeSystemCreds = async () => {
    const system = { name: SYSTEM_NAME, ...time };
    if (adopt === undefined) {
      await withNewKey('account', (account) =>
        credsLifetime > 0
          ? signed('system', account.publicKey)
          : writeUser(paths.systemCreds, account, system),
      );
    } else if ('creds' in adopt.system) {
      await writeCredsFile(paths.systemCreds, adopt.system.creds.jwt, adopt.system.creds.seed);
    } else {
      const issuerAccount = decodeAccountJwt(adopt.systemAccountJwt).sub;
      await writeUser(paths.systemCreds, adopt.system.signer, { ...system, issuerAccount });
    }
  };
  const accountPublicKey = async () =>
    adopt?.accountJwt === undefined
      ? publicKeyIn('account', paths.accountSeed)
      : decodeAccountJwt(adopt.accountJwt).sub;
  const withAccount = (use: (key: KeyBundle) => Promise<void>) =>
    adopt?.accountSigner === undefined
      ? withKey('account', paths.accountSeed, use)
      : use(adopt.accountSigner);
  const userStep = (user: OwnUser, unscoped: typeof masterUserJwtOptions): Step => ({
    path: files[user].path,
    make: async () => {
      const account = await accountPublicKey();
      if (credsLifetime > 0) return signed(user, account);
      return withAccount((signer) => writeUser(files[user].path, signer, unscoped(account, time)));
    },
  });
  return [
    { path: paths.systemCreds, make: makeSystemCreds },
    userStep('master', masterUserJwtOptions),
    userStep('admin', adminUserJwtOptions),
    userStep('answers', masterAnswersUserJwtOptions),
  ];
}

function jwtSteps(paths: TrustPaths, options: StepOptions): Step[] {
  const { adopt } = options;
  const make = makers(paths, options);
  return [
    {
      path: paths.operatorJwt,
      make: async () => {
        const jwt =
          adopt?.operatorJwt ??
          (await make.operatorJwt(
            await systemPublicKey(paths),
            await publicKeyIn('operator', paths.operatorSigningSeed),
          ));
        await writeJwt(paths.operatorJwt, jwt);
      },
    },
    {
      path: paths.systemAccountJwt,
      make: async () => {
        await writeJwt(paths.systemAccountJwt, adopt?.systemAccountJwt ?? (await make.systemAccountJwt()));
      },
    },
    { path: paths.accountJwt, make: async () => writeJwt(paths.accountJwt, await make.accountJwt()) },
  ];
}

function makers(paths: TrustPaths, { adopt, operatorName, accountName, credsLifetime, now }: StepOptions) {
  const time = now === undefined ? {} : { now };
  const label = async (): Promise<MasterLabel> => ({ name: FIRST_MASTER, users: await ownUsers(paths) });
  return {
    systemAccountJwt: async () => {
      const publicKey = await systemPublicKey(paths);
      const signingKeys =
        credsLifetime > 0
          ? [systemSigningKey(await publicKeyIn('account', paths.systemSigningSeed), await label())]
          : [];
      return withKey('operator', paths.operatorSigningSeed, (signer) =>
        createAccountJwt(publicKey, signer, { name: SYSTEM_ACCOUNT_NAME, signingKeys, ...time }),
      );
    },
    operatorJwt: (systemAccount: string, signingKey: string) =>
      withKey('operator', paths.operatorSeed, (operator) =>
        createOperatorJwt(operator, {
          name: operatorName,
          systemAccount,
          signingKeys: [signingKey],
          ...time,
        }),
      ),
    accountJwt: async () => {
      const signingKeys = [
        peelSigningKey(await publicKeyIn('account', paths.peelSigningSeed)),
        joinSigningKey(await publicKeyIn('account', paths.joinSigningSeed)),
        ...(credsLifetime > 0 ? masterSigningKeys(await ownKeys(paths), await label()) : []),
      ];
      const existing = adopt?.accountJwt;
      if (existing === undefined) {
        const publicKey = await publicKeyIn('account', paths.accountSeed);
        return withKey('operator', paths.operatorSigningSeed, (signer) =>
          createAccountJwt(publicKey, signer, {
            name: accountName,
            signingKeys,
            jetStream: true,
            ...time,
          }),
        );
      }
      // an account that already has the key stays as it is: the owner decides about the template
      const account = decodeAccountJwt(existing);
      const missing = signingKeys.filter(({ publicKey }) => signingKeyOf(account, publicKey) === undefined);
      if (missing.length === 0) return existing;
      return withKey('operator', paths.operatorSigningSeed, (signer) =>
        reviseAccountJwt(existing, signer, { signingKeys: { add: missing }, ...time }),
      );
    },
  };
}

function settingsStep(paths: TrustPaths, options: StepOptions): Step {
  const { now = Date.now, servers, tls, requireTls, credsLifetime } = options;
  const make = async () => {
    const operator = decodeOperatorJwt(await loadJwtFile(paths.operatorJwt));
    const systemAccount = decodeAccountJwt(await loadJwtFile(paths.systemAccountJwt));
    const account = decodeAccountJwt(await loadJwtFile(paths.accountJwt));
    await writeSettings(paths.settings, {
      version: LAYOUT_VERSION,
      createdAt: new Date(now()).toISOString(),
      operator: {
        name: operator.name ?? '',
        publicKey: operator.sub,
        signingKey: await publicKeyIn('operator', paths.operatorSigningSeed),
      },
      systemAccount: { name: systemAccount.name ?? '', publicKey: systemAccount.sub },
      account: {
        name: account.name ?? '',
        publicKey: account.sub,
        peelSigningKey: await publicKeyIn('account', paths.peelSigningSeed),
        joinSigningKey: await publicKeyIn('account', paths.joinSigningSeed),
      },
      ...(servers !== undefined && { servers: [...servers] }),
      ...(tls !== undefined && { tls: { ...tls } }),
      ...(requireTls !== undefined && { requireTls }),
      ...(credsLifetime > 0 && { renewal: await renewalOf(paths, credsLifetime) }),
    });
  };
  return { path: paths.settings, make };
}

/** Needs the account's identity seed, and therefore runs only at creation. */
async function renewalOf(paths: TrustPaths, lifetime: number): Promise<OwnRenewal> {
  const keys = await ownKeys(paths);
  return withKey('account', paths.accountSeed, (identity) =>
    ownRenewal(keys, { identity, account: identity.publicKey, lifetime }),
  );
}

async function ownKeys(paths: TrustPaths): Promise<OwnKeys> {
  const { master, answers, admin, system } = ownFiles(paths);
  return {
    'master-signing': await publicKeyIn('account', master.seedPath),
    'answers-signing': await publicKeyIn('account', answers.seedPath),
    'admin-signing': await publicKeyIn('account', admin.seedPath),
    'system-signing': await publicKeyIn('account', system.seedPath),
  };
}

/** The account's identity, if it is the signer. It is stored; a signing key is not. */
function adoptedIdentity(adopt: AdoptedTrust | undefined): KeyBundle | undefined {
  const { accountJwt, accountSigner } = adopt ?? {};
  if (accountJwt === undefined || accountSigner === undefined) return accountSigner;
  return decodeAccountJwt(accountJwt).sub === accountSigner.publicKey ? accountSigner : undefined;
}

async function systemPublicKey(paths: TrustPaths): Promise<string> {
  const creds = await loadCredsFile(paths.systemCreds);
  creds.wipe();
  return creds.claims.nats.issuer_account ?? creds.claims.iss;
}

function publicKeyIn(role: Role, path: string): Promise<string> {
  return withKey(role, path, (key) => key.publicKey);
}

function newKey(role: Role, path: string): Step {
  return { path, make: () => withNewKey(role, (key) => key.saveSeedToFile(path)) };
}

function savedKey(key: KeyBundle, path: string): Step {
  return { path, make: () => key.saveSeedToFile(path) };
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

/** Creates a user and writes its `.creds` file. */
export async function writeUser(path: string, signer: KeyBundle, options: UserJwtOptions): Promise<void> {
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

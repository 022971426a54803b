// Renews the home's own credentials: master.creds, master-answers.creds, admin.creds and system.creds.
import { writeCredsFile } from '../creds/generate.js';
import type { CredsFile } from '../creds/creds-file.js';
import { loadKeyBundleFromFile } from '../creds/load-key-bundle.js';
import { loadCredsFile } from '../creds/parse.js';
import { TrustError } from '../errors.js';
import { issueAfter } from '../jwt/revoke-up-to.js';
import { EVERYONE } from '../jwt/revocations.js';
import { createUserJwt, type UserJwtOptions } from '../jwt/user.js';
import { generateKeyBundle, loadKeyBundle, type KeyBundle } from '../nkeys/key-bundle.js';
import { SYSTEM_NAME } from '../permissions/names.js';
import {
  adminUserJwtOptions,
  masterAnswersUserJwtOptions,
  masterUserJwtOptions,
} from '../permissions/roles.js';
import type { TrustDomain } from './domain.js';
import { renewalTime } from './judge-expiry.js';
import { withHomeLock, type HomeLockOptions } from './lock.js';
import { openTrustDomain } from './open.js';
import type { TrustPaths } from './paths.js';
import { checkSecretFile, pathExists } from './private-files.js';

/** A credential of a home. */
export type OwnUser = 'master' | 'answers' | 'admin' | 'system';

/** A renewed credential. */
export interface RenewedCreds {
  user: OwnUser;
  path: string;
  /** `U…`: unchanged. */
  publicKey: string;
  /** Milliseconds since 1970. */
  expiresAt: number;
  /** When the previous JWT was issued, in seconds since 1970; undefined: there was none. */
  replaced: number | undefined;
}

/** The options of {@link renewOwnCreds}. */
export interface RenewOwnCredsOptions extends HomeLockOptions {
  /** The credentials to renew; all by default. */
  users?: readonly OwnUser[] | undefined;
  /** Also renew credentials that are not due, and create a missing admin; false by default. */
  force?: boolean;
  now?: () => number;
}

/** A credential of a home, signed by one of the home's own keys if it expires. */
export interface OwnFile {
  path: string;
  /** The path of the signing key's seed. */
  seedPath: string;
  /** @param account the account of the user (`A…`) */
  options: (account: string) => UserJwtOptions;
}

const SCOPED = { scoped: true } as const;

/** The credentials of a home. */
export function ownFiles(paths: TrustPaths): Record<OwnUser, OwnFile> {
  return {
    master: {
      path: paths.masterCreds,
      seedPath: paths.masterSigningSeed,
      options: (account) => masterUserJwtOptions(account, SCOPED),
    },
    answers: {
      path: paths.masterAnswersCreds,
      seedPath: paths.answersSigningSeed,
      options: (account) => masterAnswersUserJwtOptions(account, SCOPED),
    },
    admin: {
      path: paths.adminCreds,
      seedPath: paths.adminSigningSeed,
      options: (account) => adminUserJwtOptions(account, SCOPED),
    },
    system: {
      path: paths.systemCreds,
      seedPath: paths.systemSigningSeed,
      options: (issuerAccount) => ({ name: SYSTEM_NAME, issuerAccount, ...SCOPED }),
    },
  };
}

interface OwnCreds {
  user: OwnUser;
  path: string;
  /** The signing key (`A…`), and the path of its seed. */
  signer: string;
  seedPath: string;
  options: UserJwtOptions;
}

/** The self-renewing credentials of a home; empty: they never expire. */
export function ownCreds({ paths, settings, publicKeys }: TrustDomain): OwnCreds[] {
  const { renewal } = settings;
  if (renewal === undefined) return [];
  const files = ownFiles(paths);
  const own = (user: OwnUser, signer: string | undefined): OwnCreds[] => {
    if (signer === undefined) return [];
    const { path, seedPath, options } = files[user];
    const account = user === 'system' ? publicKeys.systemAccount : publicKeys.account;
    return [{ user, path, signer, seedPath, options: options(account) }];
  };
  return [
    ...own('master', renewal.masterSigningKey),
    ...own('answers', renewal.answersSigningKey),
    ...own('admin', renewal.adminSigningKey),
    ...own('system', renewal.systemSigningKey),
  ];
}

/** The endorsements of the key that signed the master's credentials; undefined: none needed. */
export function endorsementsOf({ settings }: TrustDomain, { claims }: CredsFile): string | undefined {
  return claims.iss === settings.renewal?.masterSigningKey ? settings.renewal.endorsements : undefined;
}

/**
 * Renews the credentials of a home that are due: two thirds of their lifetime have passed, or they are signed by a key
 * that was replaced. The users' keys stay, and the old JWT stays valid until it expires. Does nothing if the home's
 * settings configure no renewal.
 *
 * @returns the renewed credentials
 * @throws TrustError `ERR_TRUST_KEY_OFFLINE`, `ERR_TRUST_KEY_MISMATCH`, `ERR_TRUST_LOCKED`; CredsError, FileError
 */
export async function renewOwnCreds(
  home: string,
  options: RenewOwnCredsOptions = {},
): Promise<RenewedCreds[]> {
  const { now = Date.now } = options;
  // usually none is due, so check before taking the lock
  if ((await dueOf(await openTrustDomain(home), options, now())).length === 0) return [];
  return withHomeLock(
    home,
    'zester creds renew',
    async () => {
      const domain = await openTrustDomain(home);
      const renewed: RenewedCreds[] = [];
      for (const one of await dueOf(domain, options, now())) renewed.push(await renew(domain, one, now));
      return renewed;
    },
    options,
  );
}

/**
 * When the first renewal of these credentials is due, in milliseconds since 1970; `Infinity`: never.
 *
 * @throws CredsError, FileError
 */
export async function renewalOfOwnCreds(home: string, users: readonly OwnUser[]): Promise<number> {
  let due = Infinity;
  for (const { user, path } of ownCreds(await openTrustDomain(home))) {
    if (!users.includes(user) || !pathExists(path)) continue;
    const creds = await loadCredsFile(path);
    creds.wipe();
    due = Math.min(due, renewalTime(creds.claims));
  }
  return due;
}

async function dueOf(
  domain: TrustDomain,
  { users, force = false }: RenewOwnCredsOptions,
  now: number,
): Promise<OwnCreds[]> {
  const due: OwnCreds[] = [];
  for (const one of ownCreds(domain)) {
    if (users !== undefined && !users.includes(one.user)) continue;
    if (!pathExists(one.path)) {
      if (force) due.push(one);
      continue;
    }
    const creds = await loadCredsFile(one.path);
    creds.wipe();
    // a different user: not ours to renew
    if (creds.claims.name !== one.options.name) continue;
    if (force || creds.claims.iss !== one.signer || renewalTime(creds.claims) <= now) due.push(one);
  }
  return due;
}

/**
 * Loads the key that renews a credential; the caller must wipe it.
 *
 * @throws TrustError `ERR_TRUST_KEY_OFFLINE`, `ERR_TRUST_KEY_MISMATCH`, `ERR_TRUST_SECRET_EXPOSED`; KeyError, FileError
 */
export async function ownSigner({
  path,
  signer,
  seedPath,
}: Pick<OwnCreds, 'path' | 'signer' | 'seedPath'>): Promise<KeyBundle> {
  if (!checkSecretFile(seedPath))
    throw new TrustError(
      'ERR_TRUST_KEY_OFFLINE',
      seedPath,
      `the seed of ${signer}, which renews ${path}, is missing at ${seedPath}: put it there`,
    );
  const key = await loadKeyBundleFromFile('account', seedPath);
  if (key.publicKey === signer) return key;
  key.wipe();
  throw new TrustError(
    'ERR_TRUST_KEY_MISMATCH',
    seedPath,
    `${seedPath} contains the seed of ${key.publicKey}, but ${signer} renews ${path}: put the right seed there`,
  );
}

/** Signs new credentials of a user. The caller must hold the home's lock. */
export async function renew(domain: TrustDomain, one: OwnCreds, now: () => number): Promise<RenewedCreds> {
  const { path, user: what } = one;
  const lifetime = domain.settings.renewal?.lifetime ?? 0;
  const signer = await ownSigner(one);
  let user: KeyBundle | undefined;
  try {
    const before = pathExists(path) ? await loadCredsFile(path) : undefined;
    user = before === undefined ? generateKeyBundle('user') : keyOf(before);
    const replaced = before?.claims.iat;
    const revoked = domain.accountClaims.nats.revocations?.[EVERYONE];
    // later than the previous JWT, which may be revoked up to its issue time
    const at = issueAfter(Math.max(now(), ((replaced ?? -1) + 1) * 1000), { revoked });
    const jwt = createUserJwt(user, signer, { ...one.options, now: () => at, expiry: lifetime });
    const seed = user.seed;
    try {
      await writeCredsFile(path, jwt, seed);
    } finally {
      seed.fill(0);
    }
    const expiresAt = (Math.floor(at / 1000) + lifetime) * 1000;
    return { user: what, path, publicKey: user.publicKey, expiresAt, replaced };
  } finally {
    user?.wipe();
    signer.wipe();
  }
}

function keyOf(creds: CredsFile): KeyBundle {
  const seed = creds.seed;
  try {
    return loadKeyBundle('user', seed);
  } finally {
    seed.fill(0);
    creds.wipe();
  }
}

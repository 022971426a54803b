// Migrates the trust domain and the running fleet of an earlier version.
import { expirySeconds } from '../jwt/expiry.js';
import { setTimeout as delay } from 'node:timers/promises';
import { writeCredsFile } from '../creds/generate.js';
import { loadCredsFile } from '../creds/parse.js';
import { JwtError } from '../errors.js';
import { accountOf } from '../jwt/account-of.js';
import { decodeUserJwt } from '../jwt/decode.js';
import { isScopedUser } from '../jwt/scoped.js';
import { createUserJwt, type UserJwtOptions } from '../jwt/user.js';
import { loadKeyBundle, type KeyBundle } from '../nkeys/key-bundle.js';
import { bucketStream, FLEET_STREAMS, MASTER_ANSWERS_NAME, PEELS_BUCKET } from '../permissions/names.js';
import { adminUserJwtOptions, masterUserJwtOptions } from '../permissions/roles.js';
import type { TrustDomain } from '../trust/domain.js';
import { isAsIssuedNow, planAccountMigration, type AccountMigration } from '../trust/migration.js';
import { ensureMasterAnswersCreds } from '../trust/master-answers.js';
import { openTrustDomain } from '../trust/open.js';
import { pathExists } from '../trust/private-files.js';
import { withRevocations } from '../jwt/revocations.js';
import { readSettings, writeSettings } from '../trust/settings.js';
import { accountStreams } from '../system-account/account-streams.js';
import {
  changeAccount,
  newestClaims,
  withConnectedHome,
  withOpenHome,
  type ChangeOptions,
  type OpenHome,
} from './change-account.js';
import { connectedUsers } from '../system-account/connected-users.js';
import { guardStreams, type GuardedStreams } from './guard-streams.js';
import { identityKey } from './identity-key.js';
import { isComplete, type PushReport } from './push-account.js';
import { unguardedStreams, type UnguardedStream } from './stream-guards.js';
import { weakUsers, type WeakUser } from './weak-users.js';
import { CREDENTIAL_CHANGE_POLL_MS, CREDENTIAL_CHANGE_TIMEOUT_MS } from '../timing.js';

/** Credentials of the home whose grants differ from those of new ones. */
export interface OutdatedCreds {
  path: string;
  name: string;
  /** `U…`. */
  publicKey: string;
}

/** The steps: see {@link planMigration}. */
export interface MigrationPlan extends AccountMigration {
  /** `master.creds` and `admin.creds`, if they must be re-signed. */
  outdated: OutdatedCreds[];
  /** Weak users that are connected now, on all servers; empty without servers. */
  connected: WeakUser[];
  /** Whether the account has a registry of peels, which may list more; undefined: no server was queried. */
  hasRegistry: boolean | undefined;
  /** The fleet's streams from an earlier version, which a message can empty. Empty without servers. */
  unguarded: UnguardedStream[];
  /** Servers that did not list their streams, if one of the fleet's streams was not listed by any. */
  silent: string[];
}

/**
 * Reports what {@link migrate} would do, and changes nothing.
 *
 * @param options.servers the servers to query for connections; `false`: none
 * @throws TrustError, NatsServerError
 */
export async function planMigration(home: string, options: ChangeOptions): Promise<MigrationPlan> {
  return withConnectedHome(home, options, async (open) => ({
    ...planAccountMigration(await newestClaims(open), open.domain.publicKeys.peelSigning),
    outdated: await outdatedCreds(open.domain),
    connected: await weakConnections(open),
    ...(await fleetStreamsOf(open)),
  }));
}

/** Credentials of the home that must be re-signed. @throws CredsError, FileError */
export async function outdatedCreds(domain: TrustDomain): Promise<OutdatedCreds[]> {
  const outdated: OutdatedCreds[] = [];
  for (const { path, options } of ownUsers(domain)) {
    if (!pathExists(path)) continue;
    const creds = await loadCredsFile(path);
    creds.wipe();
    // a file of another user: leave it alone
    if (creds.claims.name !== options.name || accountOf(creds.claims) !== domain.publicKeys.account) continue;
    // the template of its signing key determines its permissions
    if (isScopedUser(creds.claims) || isAsIssuedNow(creds.claims, options)) continue;
    outdated.push({ path, name: options.name, publicKey: creds.publicKey });
  }
  return outdated;
}

function ownUsers({ paths, publicKeys }: TrustDomain): { path: string; options: UserJwtOptions }[] {
  return [
    { path: paths.masterCreds, options: masterUserJwtOptions(publicKeys.account) },
    { path: paths.adminCreds, options: adminUserJwtOptions(publicKeys.account) },
  ];
}

async function weakConnections({ connected, domain }: OpenHome): Promise<WeakUser[]> {
  return connected === undefined ? [] : weakUsers(connected.nc, domain.publicKeys.account);
}

async function fleetStreamsOf({
  connected,
  domain,
}: OpenHome): Promise<Pick<MigrationPlan, 'hasRegistry' | 'unguarded' | 'silent'>> {
  if (connected === undefined) return { hasRegistry: undefined, unguarded: [], silent: [] };
  const { streams, silent } = await accountStreams(connected.nc, domain.publicKeys.account);
  const seen = new Set(streams.map(({ name }) => name));
  const areAllListed = [...FLEET_STREAMS.keys()].every((name) => seen.has(name));
  return {
    hasRegistry: seen.has(bucketStream(PEELS_BUCKET)),
    unguarded: unguardedStreams(streams),
    silent: areAllListed ? [] : silent,
  };
}

/** The options of {@link migrate}. */
export interface MigrateOptions extends ChangeOptions {
  /** The account's identity seed, if it is not in the home: it signs masters and admins. */
  accountSeed?: string;
  /** Time limit for the masters to use their new credentials, in milliseconds; 20,000 by default. */
  masterWaitMs?: number;
}

/** The result of {@link migrate}. */
export interface Migration {
  /** The servers that have the safe templates; undefined: nothing was pushed. */
  templates: PushReport | undefined;
  /** Credentials that were created, or re-signed under the same key. */
  signed: OutdatedCreds[];
  /** Credentials that wait for the account's identity seed. */
  waiting: Omit<OutdatedCreds, 'publicKey'>[];
  /** The fleet's streams that were guarded, and those that were not. */
  streams: GuardedStreams;
  /** Names of streams that wait for the account's identity seed. */
  waitingStreams: string[];
  /** Public keys of credentials whose old JWT is still valid: it is in use, or a server did not confirm. */
  stillUsed: string[];
}

/**
 * Secures the templates and pushes the account, so that every scoped peel is safe from its next connect, which the
 * server forces at once. Then re-signs `master.creds` and `admin.creds`, guards the fleet's streams from earlier
 * versions, and revokes the old JWTs of those credentials once no client uses them.
 *
 * @throws TrustError, NatsServerError, KeyError, FileError; completed steps stay, and another call resumes
 */
export async function migrate(home: string, options: MigrateOptions): Promise<Migration> {
  return withOpenHome(home, 'zester permissions migrate', options, async (open) => {
    const { domain } = open;
    let changes = false;
    const { report } = await changeAccount(
      open,
      (claims) => {
        const planned = planAccountMigration(claims, domain.publicKeys.peelSigning);
        changes = planned.claims !== claims;
        return planned.claims;
      },
      { now: options.now },
    );
    const outdated = await outdatedCreds(domain);
    const hasAnswersCreds = pathExists(domain.paths.masterAnswersCreds);
    const unguarded = (await fleetStreamsOf(open)).unguarded.map(({ name }) => name);
    const signer =
      outdated.length === 0 && hasAnswersCreds && unguarded.length === 0
        ? undefined
        : await identityKey(domain, options.accountSeed);
    const signed = signer === undefined ? [] : [...outdated];
    let streams: GuardedStreams = { guarded: [], failed: [] };
    if (signer !== undefined) {
      try {
        for (const creds of outdated) await resignCreds(domain, creds, signer, options.now);
        const outcome = await ensureMasterAnswersCreds(domain, {
          signer,
          ...(options.now !== undefined && { now: options.now }),
        });
        if (outcome === 'made') signed.push(await answersCreds(domain));
        if (options.servers !== false) {
          streams = await guardStreams(domain, signer, unguarded, { ...options, servers: options.servers });
        }
      } finally {
        signer.wipe();
      }
    }
    const missing = hasAnswersCreds
      ? []
      : [{ path: domain.paths.masterAnswersCreds, name: MASTER_ANSWERS_NAME }];
    return {
      templates: changes ? report : undefined,
      signed,
      waiting: signer === undefined ? [...outdated, ...missing] : [],
      streams,
      waitingStreams: signer === undefined ? unguarded : [],
      stillUsed: await revokeReplaced(open, options),
    };
  });
}

/**
 * Revokes the replaced JWTs once no client uses them. The home's settings list them until then, so that an
 * interrupted run can be resumed.
 *
 * @returns the public keys whose old JWT is still in use: it is not revoked
 */
export async function revokeReplaced(
  open: OpenHome,
  options: Pick<MigrateOptions, 'now' | 'masterWaitMs'>,
): Promise<string[]> {
  const { home, paths } = open.domain;
  // an earlier step has changed the home
  const domain = await openTrustDomain(home);
  const { replacedJwts = {}, ...settings } = domain.settings;
  const current = await currentJwts(domain);
  // an interrupted run recorded it, but its file still holds the old JWT
  const replaced = Object.entries(replacedJwts).filter(
    ([publicKey, upTo]) => (current.get(publicKey) ?? Infinity) > upTo,
  );
  if (replaced.length === 0) return [];
  const unused = await waitUntilUnused(
    open.connected,
    domain.publicKeys.account,
    replaced,
    options.masterWaitMs ?? CREDENTIAL_CHANGE_TIMEOUT_MS,
  );
  const toRevoke = new Map(replaced.filter(([publicKey]) => unused.has(publicKey)));
  // not `revokeKeys`: it would take the new JWT of the same key for one dated ahead, and revoke it too
  const { report } = await changeAccount(
    { ...open, domain },
    (claims) => [...toRevoke].reduce((changed, [key, upTo]) => withRevocations(changed, [key], upTo), claims),
    { now: options.now },
  );
  // without servers, the home has the revocation, and "account push" pushes it
  const isDone = (publicKey: string) =>
    toRevoke.has(publicKey) && (report === undefined || isComplete(report));
  const undone = Object.entries(replacedJwts).filter(([publicKey]) => !isDone(publicKey));
  await writeSettings(paths.settings, {
    ...settings,
    ...(undone.length > 0 && { replacedJwts: Object.fromEntries(undone) }),
  });
  return undone.map(([publicKey]) => publicKey);
}

async function answersCreds({ paths }: TrustDomain): Promise<OutdatedCreds> {
  const creds = await loadCredsFile(paths.masterAnswersCreds);
  creds.wipe();
  return { path: paths.masterAnswersCreds, name: MASTER_ANSWERS_NAME, publicKey: creds.publicKey };
}

/** When the JWTs of the home's own users were issued, by public key. */
async function currentJwts(domain: TrustDomain): Promise<Map<string, number>> {
  const current = new Map<string, number>();
  for (const { path } of ownUsers(domain)) {
    if (!pathExists(path)) continue;
    const creds = await loadCredsFile(path);
    creds.wipe();
    current.set(creds.publicKey, creds.claims.iat);
  }
  return current;
}

/**
 * Signs a JWT with the current grants, for the same key and with the same expiry; records that the old JWT must be
 * revoked.
 */
async function resignCreds(
  domain: TrustDomain,
  { path }: OutdatedCreds,
  signer: KeyBundle,
  clock: (() => number) | undefined,
): Promise<void> {
  const creds = await loadCredsFile(path);
  const { claims } = creds;
  const seed = creds.seed;
  const user = loadKeyBundle('user', seed);
  try {
    const own = ownUsers(domain).find((one) => one.path === path);
    if (own === undefined) throw new TypeError(`${path} is not one of the home's`);
    // later than the old one, which is revoked up to its time
    const now = Math.max((clock ?? Date.now)(), (claims.iat + 1) * 1000);
    const expiry = expirySeconds(claims);
    const left = expiry === undefined ? undefined : expiry - Math.floor(now / 1000);
    const jwt = createUserJwt(user, signer, {
      ...own.options,
      now: () => now,
      ...(left !== undefined && { expiry: Math.max(1, left) }),
    });
    const settings = await readSettings(domain.paths.settings);
    // recorded first: revoking a JWT before it is replaced is harmless, since the file still holds the old one
    await writeSettings(domain.paths.settings, {
      ...settings,
      replacedJwts: { ...settings.replacedJwts, [claims.sub]: claims.iat },
    });
    await writeCredsFile(path, jwt, seed);
  } finally {
    seed.fill(0);
    user.wipe();
    creds.wipe();
  }
}

/**
 * Waits until no client is connected with a JWT to revoke: masters read the new file within a second.
 *
 * @param account the account of the users (`A…`)
 * @param replaced the public keys, and the time of each one's old JWT, in seconds
 * @returns the keys whose old JWT is unused
 */
export async function waitUntilUnused(
  connected: OpenHome['connected'],
  account: string,
  replaced: readonly (readonly [string, number])[],
  waitMs: number,
): Promise<Set<string>> {
  // without servers, nothing is pushed either
  if (connected === undefined) return new Set(replaced.map(([publicKey]) => publicKey));
  const deadline = Date.now() + waitMs;
  for (;;) {
    const unused = new Set<string>();
    for (const [publicKey, upTo] of replaced) {
      const { users } = await connectedUsers(connected.nc, account, { publicKey });
      const isUsed = users.some(
        (user) =>
          !isOwnConnection(connected.nc.info, user) && (user.jwt === undefined || isOlder(user.jwt, upTo)),
      );
      if (!isUsed) unused.add(publicKey);
    }
    if (unused.size === replaced.length || Date.now() >= deadline) return unused;
    await delay(CREDENTIAL_CHANGE_POLL_MS);
  }
}

/** This connection may itself belong to a user of the system account whose JWT was replaced. */
function isOwnConnection(
  info: { server_id: string; client_id: number } | undefined,
  { server, cid }: { server: string; cid: number },
): boolean {
  return info?.server_id === server && info.client_id === cid;
}

/** A JWT that cannot be read counts as an old one: its connection delays the revocation, and is reported. */
function isOlder(jwt: string, upTo: number): boolean {
  try {
    return decodeUserJwt(jwt).iat <= upTo;
  } catch (error) {
    if (!(error instanceof JwtError)) throw error;
    return true;
  }
}

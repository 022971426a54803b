// Revokes credentials by peel ID, key, file or time; lists and clears revocations.
import type { NatsConnection } from '@nats-io/transport-node';
import { TrustError } from '../errors.js';
import { loadCredsFile } from '../creds/parse.js';
import { writeCredsFile } from '../creds/generate.js';
import { accountOf } from '../jwt/account-of.js';
import type { AccountClaims } from '../jwt/claims.js';
import { isRevoked } from '../jwt/chain.js';
import { datedAfter, type DatedJwt } from '../jwt/dated-after.js';
import { PERMANENT, isIssuedAhead, issueAfter, revokeUpTo } from '../jwt/revoke-up-to.js';
import { EVERYONE, withoutRevocations } from '../jwt/revocations.js';
import { nowSeconds, type Clock } from '../jwt/time.js';
import { createUserJwt } from '../jwt/user.js';
import { generateKeyBundle } from '../nkeys/key-bundle.js';
import { validatePeelId } from '../permissions/peel-id.js';
import {
  adminUserJwtOptions,
  masterAnswersUserJwtOptions,
  masterUserJwtOptions,
} from '../permissions/roles.js';
import { withCleared, withRemoved } from '../trust/account-jwt/account-history.js';
import type { TrustDomain } from '../trust/domain.js';
import { readIssued } from '../trust/issued.js';
import { ownCreds, renew } from '../trust/own-creds.js';
import { pathExists } from '../trust/private-files.js';
import { checkRevocable, revocationsOf, type Revocation } from '../trust/account-jwt/revocations.js';
import {
  changeAccount,
  newestClaims,
  withConnectedHome,
  withOpenHome,
  type AccountChange,
  type ChangeOptions,
} from './change-account.js';
import { connectedUsers, keyOfUser } from '../system-account/connected-users.js';
import { issuedAtOf } from './ban.js';
import { revokeKeys } from './revoke-keys.js';

/** The credentials to revoke. */
export type RevokeTarget =
  /**
   * All credentials of this peel that were issued from this home, and all that a peel with this name is connected
   * with.
   */
  | { peelId: string }
  /** One user's public key (`U…`). */
  | { publicKey: string }
  /** The user of a `.creds` file; its seed is not used. */
  | { credsPath: string }
  /**
   * Everything that the account issued up to a time, in milliseconds since 1970. The home's own master and admin
   * first get new credentials, if theirs are older.
   */
  | { issuedBefore: number };

/** The options of {@link revoke}. */
export interface RevokeOptions extends ChangeOptions {
  /**
   * With `issuedBefore`: continue even if this home's master and admin would be locked out and cannot get new
   * credentials, because the account's identity seed is offline.
   */
  includeMaster?: boolean;
  /**
   * The JWTs in the fleet's registry: with `peelId`, the keys of that peel, otherwise of all peels and join tokens.
   * Masters issue and renew JWTs that the home does not know. undefined: it was not read, so a key may have a JWT of
   * any date.
   */
  registered?: readonly RegisteredJwt[];
}

/** A JWT that the fleet's registry knows. */
export interface RegisteredJwt {
  publicKey: string;
  /** By the clock of the master that issued it: seconds since 1970. */
  issuedAt: number | undefined;
}

/** The result of {@link revoke}. */
export interface RevokeResult extends AccountChange {
  /** The public keys, or `*`. */
  revoked: string[];
  /** Seconds since 1970: JWTs issued up to then are revoked. `PERMANENT` or later: all JWTs. */
  upTo: number;
  /** The `.creds` files that were replaced because the revocation covers them too. */
  reissued: string[];
  /**
   * With `issuedBefore`: JWTs that are dated ahead of the clock, and may have been issued before or after that time.
   * They stay valid. Others that are dated ahead, and are neither in the home or the registry nor connected, are
   * unknown.
   */
  undecided: { publicKey: string; issuedAt: number }[];
}

/**
 * Revokes credentials: signs the account JWT and pushes it to every server. Cuts their connections; they cannot
 * connect again. A credential of another key, or with `issuedBefore` a later one, is not affected. A key is revoked
 * up to now, or up to the newest known issue time of its JWTs, whichever is later: see `revokeUpTo`.
 *
 * @returns which servers confirmed, and have no revoked user connected: see `requireComplete`
 * @throws TrustError `ERR_TRUST_NOTHING_TO_REVOKE`, `ERR_TRUST_REVOKES_MASTER`; PeelIdError; as `changeAccount`
 */
export async function revoke(
  home: string,
  target: RevokeTarget,
  options: RevokeOptions,
): Promise<RevokeResult> {
  if ('peelId' in target) validatePeelId(target.peelId);
  return withOpenHome(home, 'zester revoke', options, async (open) => {
    const { domain, connected } = open;
    const { now } = options;
    const isByTime = 'issuedBefore' in target;
    const reissued = isByTime
      ? await reissueOwnCreds(domain, Math.floor(target.issuedBefore / 1000), options)
      : [];
    const { wanted, undecided } = isByTime
      ? await everyoneUpTo(domain, connected?.nc, target.issuedBefore, options)
      : { wanted: await keysOf(domain, connected?.nc, target, options), undecided: [] };
    const { upTo, ...change } = await revokeKeys(open, wanted, { now });
    const latest = isByTime ? (upTo.get(EVERYONE) ?? 0) : Math.max(...upTo.values());
    return { ...change, revoked: [...upTo.keys()], upTo: latest, reissued, undecided };
  });
}

/** A JWT of a key to revoke. */
interface KnownKey {
  publicKey: string;
  /** Seconds since 1970; undefined: it cannot be read. */
  issuedAt: number | undefined;
}

/** The keys to revoke, and the time that each is revoked up to. */
async function keysOf(
  domain: TrustDomain,
  nc: NatsConnection | undefined,
  target: Exclude<RevokeTarget, { issuedBefore: number }>,
  { now, registered }: RevokeOptions,
): Promise<Map<string, number>> {
  const named = await namedKeys(domain, target);
  const matches = ({ publicKey, name }: { publicKey: string; name: string }) =>
    'peelId' in target ? name === target.peelId : named.some((key) => key.publicKey === publicKey);
  const issued = (await readIssued(domain.paths.issued)).filter(({ publicKey, peelId }) =>
    matches({ publicKey, name: peelId }),
  );
  // list all users: a client may claim to be another user, and only its JWT is reliable
  const live = nc === undefined ? [] : (await connectedUsers(nc, domain.publicKeys.account)).users;
  const jwts: KnownKey[] = [
    ...named.filter(({ issuedAt }) => issuedAt !== undefined),
    ...issued,
    ...(registered ?? []).filter((key) => 'peelId' in target || matches({ ...key, name: '' })),
    ...live
      .map((user) => ({ publicKey: keyOfUser(user), name: user.name, issuedAt: issuedAtOf(user) }))
      .filter(matches),
  ];
  const keys = new Set([...named, ...jwts].map(({ publicKey }) => publicKey));
  if (keys.size === 0 && 'peelId' in target) throw noKnownKey(domain.home, target.peelId);
  const nowS = nowSeconds(now);
  return new Map(
    [...keys].map((publicKey) => {
      const issuedAt = jwts.filter((jwt) => jwt.publicKey === publicKey).map((jwt) => jwt.issuedAt);
      const upTo = revokeUpTo(nowS, { issuedAt, complete: false });
      return [publicKey, registered === undefined ? Math.max(upTo, PERMANENT) : upTo];
    }),
  );
}

/** The keys that the target itself names. */
async function namedKeys(
  domain: TrustDomain,
  target: Exclude<RevokeTarget, { issuedBefore: number }>,
): Promise<KnownKey[]> {
  if ('peelId' in target) return [];
  if ('credsPath' in target) return [await keyOfFile(domain, target.credsPath)];
  checkRevocable(domain.home, target.publicKey);
  return [{ publicKey: target.publicKey, issuedAt: undefined }];
}

function noKnownKey(home: string, peelId: string): TrustError {
  return new TrustError(
    'ERR_TRUST_NOTHING_TO_REVOKE',
    home,
    `no key of the peel "${peelId}" is known: none was issued from ${home}, no peel of that name is connected, and the ` +
      `registry has none; if masters of another home issued it, use "zester peel revoke ${peelId}"; otherwise pass ` +
      '--creds FILE, --key U…, or --issued-before TIME',
  );
}

/**
 * Everyone up to a time; and by key, users whose JWT claims a later issue time than is possible: one that was already
 * connected at that time and, if the time is about now, any that is dated ahead of the clock.
 *
 * @param time milliseconds since 1970
 */
async function everyoneUpTo(
  domain: TrustDomain,
  nc: NatsConnection | undefined,
  time: number,
  { now, registered = [] }: RevokeOptions,
): Promise<{ wanted: Map<string, number>; undecided: RevokeResult['undecided'] }> {
  const own = await ownKeys(domain);
  const live = nc === undefined ? [] : (await connectedUsers(nc, domain.publicKeys.account)).users;
  const known: DatedJwt[] = [
    ...(await readIssued(domain.paths.issued)),
    ...registered,
    ...live.map((user) => ({
      publicKey: keyOfUser(user),
      issuedAt: issuedAtOf(user),
      usedSince: user.since === undefined ? undefined : Date.parse(user.since) / 1000,
    })),
  ];
  const { keys, undecided } = datedAfter(
    known.filter(({ publicKey }) => !own.has(publicKey)),
    time / 1000,
    nowSeconds(now),
  );
  return { wanted: new Map([[EVERYONE, Math.floor(time / 1000)], ...keys]), undecided };
}

/** The keys of the home's own master and admin. */
async function ownKeys({ paths }: TrustDomain): Promise<Set<string>> {
  const keys = new Set<string>();
  for (const path of [paths.masterCreds, paths.masterAnswersCreds, paths.adminCreds]) {
    if (!pathExists(path)) continue;
    const creds = await loadCredsFile(path);
    creds.wipe();
    keys.add(creds.publicKey);
  }
  return keys;
}

async function keyOfFile(domain: TrustDomain, path: string): Promise<KnownKey> {
  const creds = await loadCredsFile(path);
  creds.wipe();
  const account = accountOf(creds.claims);
  if (account !== domain.publicKeys.account) {
    throw new TrustError(
      'ERR_TRUST_NOTHING_TO_REVOKE',
      path,
      `${path} belongs to the account ${account}, not to this home's account ${domain.publicKeys.account}: revoke it from its own home`,
    );
  }
  return { publicKey: creds.publicKey, issuedAt: creds.claims.iat };
}

/** @returns the files that were replaced */
async function reissueOwnCreds(domain: TrustDomain, upTo: number, options: RevokeOptions): Promise<string[]> {
  const { paths, publicKeys } = domain;
  const old: { path: string; userOptions: typeof masterUserJwtOptions }[] = [];
  for (const [path, userOptions] of [
    [paths.masterCreds, masterUserJwtOptions],
    [paths.masterAnswersCreds, masterAnswersUserJwtOptions],
    [paths.adminCreds, adminUserJwtOptions],
  ] as const) {
    if (!pathExists(path)) continue;
    const creds = await loadCredsFile(path);
    creds.wipe();
    if (isRevoked({ [EVERYONE]: upTo }, creds.publicKey, creds.claims.iat)) old.push({ path, userOptions });
  }
  if (old.length === 0 || options.includeMaster === true) return [];
  const now = nowAfter(upTo, options.now);
  if (now !== undefined && domain.settings.renewal !== undefined) {
    const expiring = ownCreds(domain).filter(({ path }) => old.some((one) => one.path === path));
    for (const one of expiring) await renew(domain, one, now);
    return expiring.map(({ path }) => path);
  }
  if (now === undefined || !pathExists(paths.accountSeed)) {
    const why =
      now === undefined
        ? 'the time is in the future, so renewed ones would be revoked too'
        : `the account's identity seed, needed to renew them, is not at ${paths.accountSeed}`;
    throw new TrustError(
      'ERR_TRUST_REVOKES_MASTER',
      domain.home,
      `this would lock out ${old.map(({ path }) => path).join(' and ')}, issued before that time: ${why}; ` +
        'give an earlier time, put the seed back, or pass --include-master',
    );
  }
  const account = await domain.accountKey();
  try {
    for (const { path, userOptions } of old) {
      const user = generateKeyBundle('user');
      const seed = user.seed;
      await writeCredsFile(
        path,
        createUserJwt(user, account, userOptions(publicKeys.account, { now })),
        seed,
      );
      seed.fill(0);
      user.wipe();
    }
  } finally {
    account.wipe();
  }
  return old.map(({ path }) => path);
}

/** A clock that makes new issue times later than a given time; undefined: the time is well ahead. */
function nowAfter(upTo: number, now: Clock = Date.now): Clock | undefined {
  if (isIssuedAhead(upTo, now() / 1000)) return undefined;
  return () => issueAfter(now(), { revoked: upTo });
}

/**
 * The revocations in the newest JWT of the home and the servers. Changes nothing.
 *
 * @throws as `changeAccount`
 */
export async function listRevocations(home: string, options: ChangeOptions): Promise<Revocation[]> {
  return withConnectedHome(home, options, async (open) => {
    const claims = await newestClaims(open);
    return revocationsOf(claims, await readIssued(open.domain.paths.issued));
  });
}

/** The revocations that {@link clearRevocations} removes. */
export type ClearTarget =
  | { all: true }
  | { publicKeys: readonly string[] }
  | { peelId: string }
  | { before: number };

/**
 * Removes revocations, and pushes: the credentials that they covered may connect again, unless they have expired.
 *
 * @returns also the removed revocations
 * @throws TrustError `ERR_TRUST_NOTHING_TO_REVOKE` when there is none of them; as `changeAccount`
 */
export async function clearRevocations(
  home: string,
  target: ClearTarget,
  options: ChangeOptions,
): Promise<AccountChange & { cleared: Revocation[] }> {
  return withOpenHome(home, 'zester revocations clear', options, async (open) => {
    const issued = await readIssued(open.domain.paths.issued);
    const cleared: Revocation[] = [];
    const change = await changeAccount(
      open,
      (claims) => {
        const gone = revocationsOf(claims, issued).filter((revocation) => matches(revocation, target));
        cleared.push(...gone);
        if (gone.length === 0) {
          throw new TrustError(
            'ERR_TRUST_NOTHING_TO_REVOKE',
            home,
            'no such revocation: see "zester revocations list"',
          );
        }
        const keys = new Set(gone.map(({ publicKey }) => publicKey));
        const without = withoutRevocations(claims, (key) => keys.has(key));
        return withTombstones(claims, without, gone, target, options.now);
      },
      { now: options.now },
    );
    return { ...change, cleared };
  });
}

/** Beyond this many named tombstones, only the ancestry of account JWTs distinguishes a removal from a loss. */
const MAX_NAMED_TOMBSTONES = 64;

/**
 * Records the cleared revocations: one tombstone if everything up to a time is cleared, and named ones for the rest.
 */
function withTombstones(
  before: AccountClaims,
  claims: AccountClaims,
  gone: readonly Revocation[],
  target: ClearTarget,
  clock: Clock | undefined,
): AccountClaims {
  const now = nowSeconds(clock);
  const until = 'before' in target ? Math.ceil(target.before / 1000) : 'all' in target ? now + 1 : 0;
  const keys = gone.filter(({ upTo }) => upTo >= until).map(({ publicKey }) => publicKey);
  const named = withRemoved(before, claims, keys.slice(0, MAX_NAMED_TOMBSTONES), now);
  return until > 0 ? withCleared(named, until, now) : named;
}

function matches({ publicKey, upTo, peelId }: Revocation, target: ClearTarget): boolean {
  if ('all' in target) return true;
  if ('publicKeys' in target) return target.publicKeys.includes(publicKey);
  if ('peelId' in target) return peelId === target.peelId;
  return upTo < target.before / 1000;
}

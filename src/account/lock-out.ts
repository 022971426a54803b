// Confirms a revocation: checks that it is in force on every server, and kicks users who are still connected.
import { setTimeout as delay } from 'node:timers/promises';
import type { NatsConnection } from '@nats-io/transport-node';
import { signingKeyIds } from '../jwt/signing-key-ids.js';
import { ZesterError } from '../errors.js';
import { isRevoked } from '../jwt/chain.js';
import type { AccountClaims } from '../jwt/claims.js';
import { decodeAccountJwt, decodeUserJwt, userIssuedAtAsServersReadIt, userIssuerOf } from '../jwt/decode.js';
import { LATEST_SECONDS } from '../jwt/latest-seconds.js';
import { EVERYONE } from '../jwt/revocations.js';
import { connectedUsers, keyOfUser, type ConnectedUser } from '../system-account/connected-users.js';
import { accountInForce, heldAccountJwts } from './held-account.js';
import { kick } from '../system-account/kick.js';
import type { ServerInfo } from '../system-account/servers.js';
import type { AccountInHand, Connected } from './change-account.js';
import type { PushReport } from './push-account.js';
import { CLOSE_POLL_MS, CLOSE_TIMEOUT_MS } from '../timing.js';

/** Public keys, or `*`, each with the time that it is revoked up to: seconds since 1970. */
export type Revocations = ReadonlyMap<string, number>;

/** Who is locked out by an account JWT. */
export interface Ban {
  /** The only users (`U…`) that it can affect; undefined: any user. */
  users: readonly string[] | undefined;
  /** Whether it applies to a user. `ahead`: it names the user's key, but the JWT has a later issue time. */
  holdsFor(user: ConnectedUser): 'yes' | 'ahead' | 'no';
  /** Whether an account JWT contains it. */
  isIn(claims: AccountClaims): boolean;
  /** Its name in messages: `the revocation`. */
  words: string;
}

/** The ban of revoked keys. @param revocations not empty */
export function revocationBan(revocations: Revocations): Ban {
  const holding = Object.fromEntries(revocations);
  return {
    users: revocations.has(EVERYONE) ? undefined : [...revocations.keys()],
    holdsFor: (user) => {
      const key = keyOfUser(user);
      if (isCovered(holding, key, issuedAtOf(user))) return 'yes';
      return revocations.has(key) ? 'ahead' : 'no';
    },
    isIn: ({ nats }) => [...revocations].every(([key, upTo]) => isRevoked(nats.revocations ?? {}, key, upTo)),
    words: 'the revocation',
  };
}

/** The ban of everything that removed signing keys (`A…`) signed. */
export function signingKeyBan(publicKeys: readonly string[]): Ban {
  const removed = new Set(publicKeys);
  return {
    users: undefined,
    holdsFor: ({ jwt }) =>
      removed.has((jwt === undefined ? undefined : userIssuerOf(jwt)) ?? '') ? 'yes' : 'no',
    isIn: (claims) => !signingKeyIds(claims).some((key) => removed.has(key)),
    words: 'the removal of the signing key',
  };
}

/** The result of {@link lockOut}. */
export interface LockOut {
  /** Servers that do not have it. */
  lacking: PushReport['failed'];
  /** Servers that have it, but still have a revoked user connected. */
  occupied: PushReport['failed'];
  /** The public keys of those users. */
  left: Set<string>;
  /** Keys that are connected with a JWT that their revocation does not cover, and its issue time. */
  ahead: Map<string, number | undefined>;
}

/** Above this number of keys, all connections are listed once instead of queried per key. */
const MANY_KEYS = 32;
const KICKS_AT_ONCE = 64;

/**
 * Makes sure that a pushed ban is in force: that each server's account JWT has it, and that no banned user is
 * connected. Kicks remaining connections (nats-server 2.10 and newer). Costs one request to all servers per key, or
 * one list of all connections beyond {@link MANY_KEYS}.
 *
 * @param pushed the account JWT
 * @param confirmed the names of the servers that accepted it; others are not checked
 */
export async function lockOut(
  { nc, up }: Pick<Connected, 'nc' | 'up'>,
  domain: Omit<AccountInHand, 'home'>,
  ban: Ban,
  pushed: { jwt: string; confirmed: readonly string[] },
): Promise<LockOut> {
  const account = domain.publicKeys.account;
  const servers = up.filter(({ name }) => pushed.confirmed.includes(name));
  const names = new Map(servers.map(({ id, name }) => [id, name]));
  const lacking = await withoutBan({ nc, up: servers }, domain, ban, pushed.jwt);
  const deadline = Date.now() + CLOSE_TIMEOUT_MS;
  for (;;) {
    const users = (await usersOf(nc, account, ban.users, up)).filter(({ server }) => names.has(server));
    const ahead = new Map<string, number | undefined>();
    const left: ConnectedUser[] = [];
    for (const user of users) {
      const held = ban.holdsFor(user);
      const key = keyOfUser(user);
      if (held === 'yes') left.push(user);
      else if (held === 'ahead') ahead.set(key, latest(ahead, key, issuedAtOf(user)));
    }
    if (ahead.size > 0 || left.length === 0 || Date.now() >= deadline) {
      const keys = new Set(left.map(keyOfUser));
      return { lacking, occupied: stillConnected(left, names, ban), left: keys, ahead };
    }
    for (let i = 0; i < left.length; i += KICKS_AT_ONCE) {
      await Promise.all(left.slice(i, i + KICKS_AT_ONCE).map((user) => kick(nc, user)));
    }
    await delay(CLOSE_POLL_MS);
  }
}

/** Whether the revocations apply to a JWT; to one that cannot be read, only an unbounded revocation does. */
function isCovered(
  revocations: Readonly<Record<string, number>>,
  publicKey: string,
  issuedAt: number | undefined,
): boolean {
  return isRevoked(revocations, publicKey, issuedAt ?? Number.MAX_SAFE_INTEGER);
}

function latest(
  all: ReadonlyMap<string, number | undefined>,
  key: string,
  issuedAt: number | undefined,
): number | undefined {
  if (issuedAt === undefined || (all.has(key) && all.get(key) === undefined)) return undefined;
  return Math.max(issuedAt, all.get(key) ?? 0);
}

/**
 * The issue time of a connected user's JWT, in seconds since 1970; undefined if it cannot be read. A JWT that we refuse
 * and a server accepts may have an issue time so late that only a revocation up to that time covers it.
 */
export function issuedAtOf({ jwt }: Pick<ConnectedUser, 'jwt'>): number | undefined {
  if (jwt === undefined) return undefined;
  try {
    return decodeUserJwt(jwt).iat;
  } catch (error) {
    if (!(error instanceof ZesterError)) throw error;
    const issuedAt = userIssuedAtAsServersReadIt(jwt);
    return issuedAt === LATEST_SECONDS ? issuedAt : undefined;
  }
}

async function usersOf(
  nc: NatsConnection,
  account: string,
  publicKeys: Ban['users'],
  up: readonly ServerInfo[],
): Promise<ConnectedUser[]> {
  if (publicKeys === undefined || publicKeys.length > MANY_KEYS) {
    return (await connectedUsers(nc, account, { up })).users;
  }
  const found = await Promise.all(
    publicKeys.map((publicKey) => connectedUsers(nc, account, { publicKey, up })),
  );
  return found.flatMap(({ users }) => users);
}

function stillConnected(
  left: readonly ConnectedUser[],
  names: ReadonlyMap<string, string>,
  { words }: Ban,
): PushReport['failed'] {
  const keys = new Map<string, Set<string>>();
  for (const user of left) {
    const name = names.get(user.server) ?? user.server;
    keys.set(name, (keys.get(name) ?? new Set()).add(keyOfUser(user)));
  }
  return [...keys].map(([server, all]) => {
    const [first] = all;
    const others = all.size === 1 ? '' : ` and ${all.size - 1} more`;
    return {
      server,
      problem: `it has ${words}, but ${first}${others} ${all.size === 1 ? 'is' : 'are'} still connected`,
    };
  });
}

/** The servers whose account JWT lacks the ban although they confirmed the push. */
async function withoutBan(
  { nc, up }: Pick<Connected, 'nc' | 'up'>,
  domain: Omit<AccountInHand, 'home'>,
  ban: Ban,
  pushed: string,
): Promise<PushReport['failed']> {
  const account = domain.publicKeys.account;
  const inForce = await accountInForce(nc, account, up);
  const holds = (jwt: string) => jwt === pushed || hasBan(jwt, ban);
  const problem = `its account JWT lacks ${ban.words}: another JWT was pushed meanwhile`;
  const failed = inForce
    .filter(({ jwt }) => jwt !== undefined && !holds(jwt))
    .map(({ server }) => ({ server, problem }));
  const notLoaded = inForce.filter(({ jwt }) => jwt === undefined);
  // if the account is not in use, what the resolver will load counts
  if (notLoaded.length > 0) {
    const held = await heldAccountJwts(nc, domain, account, up);
    if (held.length === 0 || !held.every(({ jwt }) => holds(jwt))) {
      failed.push(...notLoaded.map(({ server }) => ({ server, problem })));
    }
  }
  return failed;
}

function hasBan(jwt: string, ban: Ban): boolean {
  try {
    return ban.isIn(decodeAccountJwt(jwt));
  } catch (error) {
    if (error instanceof ZesterError) return false;
    throw error;
  }
}

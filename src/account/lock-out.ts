// Confirms a revocation: checks that it is in force on every server, and kicks users who are still connected.
import { setTimeout as delay } from 'node:timers/promises';
import { ZesterError } from '../errors.js';
import { decodeAccountJwt } from '../jwt/decode.js';
import { connectedUsers, keyOfUser, type ConnectedUser } from '../system-account/connected-users.js';
import { kick } from '../system-account/kick.js';
import { CLOSE_POLL_MS, CLOSE_TIMEOUT_MS } from '../timing.js';
import { issuedAtOf, MANY_USERS, type Ban } from './ban.js';
import type { TargetAccount, Connected } from './change-account.js';
import { accountInForce, heldAccountJwts } from './held-account.js';
import { enforcingServers } from './late-servers.js';
import type { ServerInfo } from '../system-account/servers.js';
import type { PushReport } from './push-account.js';

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

const KICKS_AT_ONCE = 64;

/**
 * Makes sure that a pushed ban is in force: that each server's account JWT has it, and that no banned user is
 * connected. Kicks remaining connections (nats-server 2.10 and newer). Costs one request to all servers per key, or
 * one list of all connections beyond {@link MANY_USERS}.
 *
 * @param pushed the account JWT
 * @param confirmed the names of the servers that accepted it; others are not checked
 */
export async function lockOut(
  { nc, up, direct }: Pick<Connected, 'nc' | 'up' | 'direct'>,
  domain: Omit<TargetAccount, 'home'>,
  ban: Ban,
  pushed: { jwt: string; confirmed: readonly string[] },
): Promise<LockOut> {
  const account = domain.publicKeys.account;
  const servers = up.filter(({ name }) => pushed.confirmed.includes(name));
  const names = new Map(servers.map(({ id, name }) => [id, name]));
  const listed = () => usersOf({ nc, up: servers, direct }, account, ban.users);
  // at the same time, in this order: a server answers the requests of a connection one after the other
  const [lacking, first] = await Promise.all([
    serversWithoutBan({ nc, up: servers, direct }, domain, ban, pushed.jwt),
    listed(),
  ]);
  let list = first;
  const deadline = Date.now() + CLOSE_TIMEOUT_MS;
  for (;;) {
    const ahead = new Map<string, number | undefined>();
    const left: ConnectedUser[] = [];
    for (const user of list.users) {
      const held = ban.holdsFor(user);
      const key = keyOfUser(user);
      if (held === 'yes') left.push(user);
      else if (held === 'ahead') ahead.set(key, latest(ahead, key, issuedAtOf(user)));
    }
    if (ahead.size > 0 || left.length === 0 || Date.now() >= deadline) {
      const silent = servers.filter(({ id }) => !list.servers.has(id));
      const keys = new Set(left.map(keyOfUser));
      // one of them may still be connected there
      if (silent.length > 0) for (const key of ban.users ?? []) keys.add(key);
      const occupied = [...stillConnected(left, names, ban), ...silent.map(notListed)];
      return { lacking, occupied, left: keys, ahead };
    }
    for (let i = 0; i < left.length; i += KICKS_AT_ONCE) {
      await Promise.all(left.slice(i, i + KICKS_AT_ONCE).map((user) => kick(direct.over(user.server), user)));
    }
    await delay(CLOSE_POLL_MS);
    list = await listed();
  }
}

function latest(
  all: ReadonlyMap<string, number | undefined>,
  key: string,
  issuedAt: number | undefined,
): number | undefined {
  if (issuedAt === undefined || (all.has(key) && all.get(key) === undefined)) return undefined;
  return Math.max(issuedAt, all.get(key) ?? 0);
}

/** The connected users, and the IDs of the servers that reported them. */
interface ListedUsers {
  users: ConnectedUser[];
  servers: Set<string>;
}

async function usersOf(
  { nc, up, direct }: Pick<Connected, 'nc' | 'up' | 'direct'>,
  account: string,
  publicKeys: Ban['users'],
): Promise<ListedUsers> {
  const over = (server: string) => direct.over(server);
  if (publicKeys === undefined || publicKeys.length > MANY_USERS) {
    return connectedUsers(nc, account, { up, over });
  }
  const found = await Promise.all(
    publicKeys.map((publicKey) => connectedUsers(nc, account, { publicKey, up, over })),
  );
  const ids = up.map(({ id }) => id).filter((id) => found.every(({ servers }) => servers.has(id)));
  return { users: found.flatMap(({ users }) => users), servers: new Set(ids) };
}

function notListed({ name }: ServerInfo): PushReport['failed'][number] {
  return { server: name, problem: 'it did not say who is connected' };
}

function stillConnected(
  left: readonly ConnectedUser[],
  names: ReadonlyMap<string, string>,
  { description }: Ban,
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
      problem: `it has ${description}, but ${first}${others} ${all.size === 1 ? 'is' : 'are'} still connected`,
    };
  });
}

/** The servers whose account JWT lacks the ban although they confirmed the push. */
async function serversWithoutBan(
  { nc, up, direct }: Pick<Connected, 'nc' | 'up' | 'direct'>,
  domain: Omit<TargetAccount, 'home'>,
  ban: Ban,
  pushed: string,
): Promise<PushReport['failed']> {
  const account = domain.publicKeys.account;
  const enforcing = await enforcingServers({ up, direct }, account, ban);
  const others = up.filter(({ id }) => !enforcing.has(id));
  if (others.length === 0) return [];
  const inForce = await accountInForce(nc, account, others);
  const holds = (jwt: string) => jwt === pushed || hasBan(jwt, ban);
  const problem = `its account JWT lacks ${ban.description}: another JWT was pushed meanwhile`;
  const failed = inForce
    .filter(({ jwt }) => jwt !== undefined && !holds(jwt))
    .map(({ server }) => ({ server, problem }));
  const notLoaded = inForce.filter(({ jwt }) => jwt === undefined);
  // where the account is not in use, the JWT that the resolver will load counts
  if (notLoaded.length > 0) {
    const held = await heldAccountJwts(nc, domain, account, others);
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

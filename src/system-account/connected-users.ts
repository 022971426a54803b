// Lists the connected users of an account.
import { errors, type NatsConnection } from '@nats-io/transport-node';
import { setImmediate as nextTurn } from 'node:timers/promises';
import * as v from 'valibot';
import { userNameOf, userSubjectAsServersReadIt } from '../jwt/decode.js';
import { askServer } from './ask-server.js';
import { jsonOf } from './request-all.js';
import {
  continuesPage,
  FIRST_PAGE,
  firstPageWithJwts,
  nextPage,
  OVERLAP,
  MAX_SINGLE_REQUESTS,
} from './connection-pages.js';
import type { ConnectionId } from './kick.js';
import { compareVersions } from './server-versions.js';
import type { PageSizes } from './page-sizes.js';
import { listServers, type ServerInfo } from './servers.js';
import { CONNECTIONS_PAGE_TIMEOUT_MS, LARGE_PAGE_TIMEOUT_MS } from '../timing.js';

/** A connected user. */
export interface ConnectedUser {
  /** The name in its JWT: a peel's ID. */
  name: string;
  /** `U…`: the subject of its JWT, as the server reads it. Without a JWT, as {@link reported}. */
  publicKey: string;
  /** The user as the server reports it: whatever the client wrote into its CONNECT, such as another's key. */
  reported?: string | undefined;
  /** The JWT that it connected with; undefined: none, or the server does not report it. */
  jwt: string | undefined;
  /** The server's ID, and the connection's number there. */
  server: string;
  cid: number;
  serverName: string | undefined;
  /** The client's address. */
  host: string | undefined;
  /** ISO 8601, by the server's clock. */
  since: string | undefined;
  /** `Client` or `Leafnode`; undefined: the server does not report it. */
  kind?: string | undefined;
  /** Messages and bytes sent since it connected. */
  sent?: { messages: number; bytes: number };
}

/** The key that a revocation of this user must name: the subject of its JWT, as the server reads it. */
export function keyOfUser({ jwt, publicKey }: Pick<ConnectedUser, 'jwt' | 'publicKey'>): string {
  return (jwt === undefined ? undefined : userSubjectAsServersReadIt(jwt)) ?? publicKey;
}

const answerSchema = v.object({
  server: v.object({ id: v.string(), name: v.optional(v.string()) }),
  data: v.object({
    total: v.optional(v.number(), 0),
    connections: v.optional(
      v.array(
        v.object({
          cid: v.number(),
          ip: v.optional(v.string()),
          start: v.optional(v.string()),
          kind: v.optional(v.string()),
          authorized_user: v.optional(v.string()),
          jwt: v.optional(v.string()),
          in_msgs: v.optional(v.number(), 0),
          in_bytes: v.optional(v.number(), 0),
        }),
      ),
      [],
    ),
  }),
});

type Answer = v.InferOutput<typeof answerSchema>;
type Listed = Answer['data']['connections'][number];

/** From this version on, CONNZ can list the connections of one user. */
const FILTER_BY_USER_SINCE = '2.10.0';
/** The connections of a page to decode per turn of the event loop. */
const USERS_PER_TURN = 1_000;
/** Concurrent requests to a server for single connections. */
const SINGLE_REQUESTS_AT_ONCE = 8;

/** The result of {@link connectedUsers}. */
export interface ConnectedUsers {
  /** The IDs of the servers that reported users. */
  servers: Set<string>;
  /** The servers whose report is certain to be complete: a user missing from it was not connected at that time. */
  complete: Set<string>;
  /** Whether the reports of all running servers are. */
  isComplete: boolean;
  /** Each connection once, except known ones. */
  users: ConnectedUser[];
  /** The known connections that are still there. */
  known: ConnectionId[];
}

/** The options of {@link connectedUsers}. */
export interface ConnectedUsersOptions {
  /**
   * Only the connections of this user (`U…`). Servers from 2.10 on look them up; from an older one, all connections
   * are read.
   */
  publicKey?: string;
  /**
   * Whether a connection is already known. Its JWT is not requested again, since that is the most expensive part for
   * a server. Servers do not reuse numbers; a connection that gets another user is reported as an event.
   */
  isKnown?: (connection: ConnectionId) => boolean;
  /** The servers to query; by default those that answer now, which costs another request. */
  up?: readonly ServerInfo[];
  /** The connection to query a server over; `nc` by default. @param server its ID (`N…`) */
  over?: (server: string) => NatsConnection;
  /** The sizes of pages, if `over` returns connections of their own; small ones by default. */
  sizes?: PageSizes | undefined;
  /** Awaited before each request: it pauses while something else goes first. */
  pause?: (() => Promise<void>) | undefined;
}

/**
 * The users of an account that are connected now, on all servers, and the IDs of the servers that reported them. Each
 * server is queried for one page at a time, and an unresponsive server does not delay the others.
 *
 * A server verifies the JWT of each of its connections for each page that has JWTs (docs/nats-facts.md, 37), so pages
 * are large, and omit JWTs if all connections are known.
 *
 * Source: `$SYS.REQ.SERVER.<id>.CONNZ` of the system account.
 *
 * @param nc a connection of the system account
 * @param account the public key (`A…`)
 * @throws NatsServerError as `listServers`
 */
export async function connectedUsers(
  nc: NatsConnection,
  account: string,
  options: ConnectedUsersOptions = {},
): Promise<ConnectedUsers> {
  const { publicKey, isKnown, up = await listServers(nc), over = () => nc, sizes, pause } = options;
  const canFilter = up.every(({ version }) => compareVersions(version, FILTER_BY_USER_SINCE) >= 0);
  const filter = { acc: account, ...(publicKey !== undefined && canFilter && { user: publicKey }) };
  const all: ConnectedUsers = {
    servers: new Set(),
    complete: new Set(),
    isComplete: false,
    users: [],
    known: [],
  };
  await Promise.all(
    up.map(async ({ id }) => {
      const direct = over(id);
      const isOwn = direct !== nc;
      const list = new ServerList({ nc: direct, id, filter, sizes: isOwn ? sizes : undefined, pause });
      const read = isKnown === undefined ? await list.all() : await list.unknown(isKnown);
      if (!list.hasAnswered) return;
      all.servers.add(id);
      if (read.isComplete) all.complete.add(id);
      for (const user of read.users) {
        if (publicKey === undefined || user.publicKey === publicKey) all.users.push(user);
      }
      for (const connection of read.known) all.known.push(connection);
    }),
  );
  all.isComplete = all.complete.size === up.length;
  return all;
}

/**
 * The current users of single connections, with their JWTs. Omits connections that have ended, and leafnodes, which servers
 * do not find by number.
 *
 * Cost: one request per connection, a few at a time at each server.
 *
 * @param options.over the connection to query a server over; `nc` by default
 * @returns `isComplete`: whether every request was answered
 */
export async function usersOfConnections(
  nc: NatsConnection,
  account: string,
  connections: readonly ConnectionId[],
  { over = () => nc, pause }: Pick<ConnectedUsersOptions, 'over' | 'pause'> = {},
): Promise<{ users: ConnectedUser[]; isComplete: boolean }> {
  const servers = new Map<string, Set<number>>();
  for (const { server, cid } of connections) servers.set(server, (servers.get(server) ?? new Set()).add(cid));
  const lists = await Promise.all(
    [...servers].map(([id, cids]) =>
      new ServerList({ nc: over(id), id, filter: { acc: account }, sizes: undefined, pause }).oneByOne(cids),
    ),
  );
  return {
    users: lists.flatMap(({ users }) => users),
    isComplete: lists.every(({ isComplete }) => isComplete),
  };
}

/** The options of a {@link ServerList}. */
interface ListParts {
  nc: NatsConnection;
  /** The server's ID (`N…`). */
  id: string;
  /** Part of every request. */
  filter: object;
  sizes: PageSizes | undefined;
  pause: (() => Promise<void>) | undefined;
}

interface ReadList {
  users: ConnectedUser[];
  known: ConnectionId[];
  isComplete: boolean;
}

/** The connections of one server. */
class ServerList {
  readonly #nc: NatsConnection;
  readonly #id: string;
  readonly #filter: object;
  readonly #sizes: PageSizes | undefined;
  readonly #pause: (() => Promise<void>) | undefined;
  hasAnswered = false;

  constructor({ nc, id, filter, sizes, pause }: ListParts) {
    this.#nc = nc;
    this.#id = id;
    this.#filter = filter;
    this.#sizes = sizes;
    this.#pause = pause;
  }

  get #maxBytes(): number | undefined {
    return this.#sizes?.of(this.#id);
  }

  /** Every connection, with its JWT. */
  async all(): Promise<ReadList> {
    const users = new Map<number, ConnectedUser>();
    const isComplete = await this.#pages({ auth: true }, { offset: 0, limit: FIRST_PAGE }, (page) => {
      for (const user of page) users.set(user.cid, user);
      return true;
    });
    return { users: [...users.values()], known: [], isComplete };
  }

  /** Every connection, the unknown ones with their JWTs. */
  async unknown(isKnown: (of: ConnectionId) => boolean): Promise<ReadList> {
    const cids: number[] = [];
    let hasLeafnode = false;
    let bytesEach: number | undefined;
    const isListComplete = await this.#pages({}, { offset: 0, limit: FIRST_PAGE }, (_users, page, bytes) => {
      if (page.length > 0) bytesEach = Math.max(bytesEach ?? 0, bytes / page.length);
      for (const { cid, kind } of page) {
        // a page repeats the last connections of the previous one
        if (cid <= (cids.at(-1) ?? -1)) continue;
        cids.push(cid);
        hasLeafnode ||= kind?.toLowerCase() === 'leafnode';
      }
      return true;
    });
    const known: ConnectionId[] = [];
    const wanted = new Set<number>();
    for (const cid of cids) {
      const connection = { server: this.#id, cid };
      if (isKnown(connection)) known.push(connection);
      else wanted.add(cid);
    }
    if (wanted.size === 0) return { users: [], known, isComplete: isListComplete };
    // servers do not find leafnodes by number
    const isFew = wanted.size <= MAX_SINGLE_REQUESTS && !hasLeafnode;
    const read = isFew
      ? await this.oneByOne(wanted)
      : await this.#inPages(wanted, cids, firstPageWithJwts(bytesEach, this.#maxBytes));
    return { users: read.users, known, isComplete: isListComplete && read.isComplete };
  }

  /** Some connections, with their JWTs. Stops when the server does not answer. */
  async oneByOne(wanted: ReadonlySet<number>): Promise<Omit<ReadList, 'known'>> {
    const users: ConnectedUser[] = [];
    let isComplete = true;
    const cids = [...wanted];
    for (let from = 0; from < cids.length; from += SINGLE_REQUESTS_AT_ONCE) {
      const some = cids.slice(from, from + SINGLE_REQUESTS_AT_ONCE);
      const answers = await Promise.all(
        some.map((cid) => this.#request({ ...this.#filter, auth: true, cid })),
      );
      for (const answer of answers) {
        if (answer === undefined) isComplete = false;
        // missing: the connection has ended
        else users.push(...(await usersOf(answer)));
      }
      // the remaining requests would time out too
      if (!isComplete) break;
    }
    return { users, isComplete };
  }

  /** @param cids all numbers of the list, in its order */
  async #inPages(
    wanted: ReadonlySet<number>,
    cids: readonly number[],
    limit: number,
  ): Promise<Omit<ReadList, 'known'>> {
    const users = new Map<number, ConnectedUser>();
    const isWanted = (cid: number) => wanted.has(cid);
    const first = cids.findIndex(isWanted);
    const firstCid = cids[first] ?? Infinity;
    const lastCid = cids.findLast(isWanted) ?? Infinity;
    const offset = Math.max(0, first - OVERLAP);
    let begins = offset === 0;
    const isComplete = await this.#pages({ auth: true }, { offset, limit }, (page, listed) => {
      begins ||= (listed[0]?.cid ?? Infinity) <= firstCid;
      for (const user of page) if (wanted.has(user.cid)) users.set(user.cid, user);
      return (listed.at(-1)?.cid ?? Infinity) < lastCid;
    });
    return { users: [...users.values()], isComplete: isComplete && begins };
  }

  /**
   * Reads pages until the last one, or until `each` returns false.
   *
   * @returns whether it is certain that no connection was missed
   */
  async #pages(
    query: { auth?: true },
    first: { offset: number; limit: number },
    each: (users: ConnectedUser[], listed: readonly Listed[], bytes: number) => boolean,
  ): Promise<boolean> {
    let last: number | undefined;
    let isComplete = true;
    let next: { offset: number; limit: number } | undefined = first;
    while (next !== undefined) {
      const { offset, limit }: { offset: number; limit: number } = next;
      // a repeated request would make a busy server verify all JWTs once more
      const isLarge = this.#sizes !== undefined && query.auth === true;
      const timeout = isLarge ? LARGE_PAGE_TIMEOUT_MS : CONNECTIONS_PAGE_TIMEOUT_MS;
      const answer = await this.#request({ ...this.#filter, ...query, limit, offset }, timeout);
      if (answer === undefined) {
        // a late page would not be faster if it were smaller
        if (this.#nc.isClosed()) this.#sizes?.halve(this.#id);
        return false;
      }
      const { connections } = answer.data;
      const cids = connections.map(({ cid }) => cid);
      isComplete &&= continuesPage(last, cids);
      if (!each(await usersOf(answer), connections, answer.bytes)) break;
      last = cids.at(-1);
      next = nextPage({ offset, limit, count: cids.length, bytes: answer.bytes }, this.#maxBytes);
    }
    return isComplete;
  }

  /** undefined: the server did not answer. */
  async #request(
    query: object,
    timeout = CONNECTIONS_PAGE_TIMEOUT_MS,
  ): Promise<(Answer & { bytes: number }) | undefined> {
    await this.#pause?.();
    try {
      const answer = await askServer(this.#nc, this.#id, 'CONNZ', query, timeout);
      const parsed = v.safeParse(answerSchema, jsonOf(answer));
      if (!parsed.success) return undefined;
      this.hasAnswered = true;
      return { ...parsed.output, bytes: answer.data.length };
    } catch (error) {
      const isUnanswered =
        error instanceof errors.TimeoutError ||
        error instanceof errors.NoRespondersError ||
        (error instanceof errors.RequestError && error.isNoResponders()) ||
        // a server with a low "max_pending" cuts a direct connection for a large page
        (this.#sizes !== undefined && this.#nc.isClosed());
      if (isUnanswered) return undefined;
      throw error;
    }
  }
}

async function usersOf({ server, data }: Answer): Promise<ConnectedUser[]> {
  const users: ConnectedUser[] = [];
  for (let from = 0; from < data.connections.length; from += USERS_PER_TURN) {
    if (from > 0) await nextTurn();
    users.push(...usersAmong(server, data.connections.slice(from, from + USERS_PER_TURN)));
  }
  return users;
}

function usersAmong(server: Answer['server'], connections: readonly Listed[]): ConnectedUser[] {
  return connections.flatMap(({ cid, ip, start, kind, authorized_user, jwt, in_msgs, in_bytes }) => {
    if (authorized_user === undefined) return [];
    return {
      name: (jwt === undefined ? undefined : userNameOf(jwt)) ?? '',
      publicKey: keyOfUser({ jwt, publicKey: authorized_user }),
      reported: authorized_user,
      jwt,
      server: server.id,
      cid,
      serverName: server.name,
      host: ip,
      since: start,
      kind,
      sent: { messages: in_msgs, bytes: in_bytes },
    };
  });
}

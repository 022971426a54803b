// Lists the connected users of an account.
import { errors, type NatsConnection } from '@nats-io/transport-node';
import * as v from 'valibot';
import { userNameOf, userSubjectAsServersReadIt } from '../jwt/decode.js';
import { jsonOf } from './ask-all.js';
import { continuesPage, nextOffset, PAGE } from './connection-pages.js';
import { compareVersions } from './server-versions.js';
import { listServers } from './servers.js';
import { SERVER_STATE_TIMEOUT_MS } from '../timing.js';

/** A user that is connected now. */
export interface ConnectedUser {
  /** The name in its JWT: of a peel, its id. */
  name: string;
  /** `U…`, as the server names it. It may be what the client wrote into its CONNECT: see {@link keyOfUser}. */
  publicKey: string;
  /** What it connected with; undefined: none, or the server does not tell. */
  jwt: string | undefined;
  /** The server's id, and the connection's on it. */
  server: string;
  cid: number;
  serverName: string | undefined;
  /** The address that it comes from. */
  host: string | undefined;
  /** ISO 8601, by the server's clock. */
  since: string | undefined;
  /** `Client` or `Leafnode`; undefined: the server does not tell. */
  kind?: string | undefined;
  /** What it has sent since it connected. */
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

/** From this version on, CONNZ can list the connections of one user. */
const BY_USER_SINCE = '2.10.0';

/** What {@link connectedUsers} gives. */
export interface ConnectedUsers {
  /** The ids of the servers that reported users. */
  servers: Set<string>;
  /** Those of them whose report is certainly whole: who is not in it was not connected when it was made. */
  whole: Set<string>;
  /** Whether that is so of every server that is up. */
  isWhole: boolean;
  /** Each connection once. */
  users: ConnectedUser[];
}

/** What can be chosen about {@link connectedUsers}. */
export interface ConnectedUsersOptions {
  /** Only the connections of this user (`U…`). Servers from 2.10 on look for them; of an older one all connections are read. */
  publicKey?: string;
  /**
   * The name of a user that is known already: its JWT need not be decoded again. undefined: it is not known.
   */
  nameOf?: (connection: { server: string; cid: number; jwt: string }) => string | undefined;
}

/**
 * The users of an account that are connected now, on all servers, and the ids of the servers that reported them. Each
 * server is asked for one page at a time, and a server that does not answer keeps no other waiting: the cost grows with
 * the number of connections.
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
  const { publicKey } = options;
  const up = await listServers(nc);
  const canFilter = up.every(({ version }) => compareVersions(version, BY_USER_SINCE) >= 0);
  const query = {
    auth: true,
    acc: account,
    ...(publicKey !== undefined && canFilter && { user: publicKey }),
  };
  const servers = new Set<string>();
  const whole = new Set<string>();
  const users: ConnectedUser[] = [];
  await Promise.all(
    up.map(async ({ id }) => {
      const read = await usersOfServer(nc, id, query, options);
      if (read === undefined) return;
      servers.add(id);
      if (read.isWhole) whole.add(id);
      for (const user of read.users) users.push(user);
    }),
  );
  return { servers, whole, isWhole: whole.size === up.length, users };
}

/** undefined: the server did not answer. */
async function usersOfServer(
  nc: NatsConnection,
  id: string,
  query: object,
  { publicKey, nameOf }: ConnectedUsersOptions,
): Promise<{ users: ConnectedUser[]; isWhole: boolean } | undefined> {
  const users = new Map<number, ConnectedUser>();
  let last: number | undefined;
  let isWhole = true;
  for (let offset = 0; ;) {
    const answer = await askServer(nc, id, { ...query, limit: PAGE, offset });
    if (answer === undefined)
      return offset === 0 ? undefined : { users: [...users.values()], isWhole: false };
    const { server, data } = answer;
    for (const connection of data.connections) {
      const { cid, ip, start, kind, authorized_user, jwt, in_msgs, in_bytes } = connection;
      if (authorized_user === undefined || authorized_user !== (publicKey ?? authorized_user)) continue;
      if (users.has(cid)) continue;
      const known = jwt === undefined ? '' : nameOf?.({ server: server.id, cid, jwt });
      users.set(cid, {
        name: known ?? (jwt === undefined ? undefined : userNameOf(jwt)) ?? '',
        publicKey: authorized_user,
        jwt,
        server: server.id,
        cid,
        serverName: server.name,
        host: ip,
        since: start,
        kind,
        sent: { messages: in_msgs, bytes: in_bytes },
      });
    }
    const cids = data.connections.map(({ cid }) => cid);
    isWhole &&= continuesPage(last, cids);
    const next = nextOffset(offset, cids.length);
    if (next === undefined) return { users: [...users.values()], isWhole };
    last = cids.at(-1);
    offset = next;
  }
}

async function askServer(
  nc: NatsConnection,
  id: string,
  query: object,
): Promise<v.InferOutput<typeof answerSchema> | undefined> {
  try {
    const request = JSON.stringify(query);
    const answer = await nc.request(`$SYS.REQ.SERVER.${id}.CONNZ`, request, {
      timeout: SERVER_STATE_TIMEOUT_MS,
    });
    const parsed = v.safeParse(answerSchema, jsonOf(answer));
    return parsed.success ? parsed.output : undefined;
  } catch (error) {
    const isUnanswered =
      error instanceof errors.TimeoutError ||
      error instanceof errors.NoRespondersError ||
      (error instanceof errors.RequestError && error.isNoResponders());
    if (isUnanswered) return undefined;
    throw error;
  }
}

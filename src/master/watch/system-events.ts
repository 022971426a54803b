// Reads connect and disconnect events from the system account.
import type { NatsConnection, Subscription } from '@nats-io/nats-core';
import * as v from 'valibot';
import { parseJson } from '../../protocol/messages.js';
import { userNameOf } from '../../jwt/decode.js';
import {
  connectedUsers,
  usersOfConnections,
  type ConnectedUser,
  type ConnectedUsersOptions,
} from '../../system-account/connected-users.js';
import type { ConnectionId } from '../../system-account/kick.js';
import { listServers } from '../../system-account/servers.js';
import { SERVERS_STALL_MS } from '../../timing.js';

/** A connection of a user of the fleet's account, as its server reports it. */
export interface UserConnection {
  /** The server's ID, and the connection's number there. */
  server: string;
  cid: number;
  serverName: string | undefined;
  /** The name in the JWT: a peel's ID, if it is a peel. */
  name: string;
  publicKey: string;
  jwt: string;
  host: string | undefined;
  /** ISO 8601, by the server's clock. */
  since: string;
  /** `Client` or `Leafnode`; undefined if the server does not report it. */
  kind?: string | undefined;
}

const eventSchema = v.object({
  timestamp: v.string(),
  server: v.object({ id: v.string(), name: v.optional(v.string()) }),
  client: v.object({
    id: v.number(),
    user: v.optional(v.string()),
    jwt: v.optional(v.string()),
    host: v.optional(v.string()),
    start: v.optional(v.string()),
    kind: v.optional(v.string()),
  }),
  reason: v.optional(v.string()),
});

/** The callbacks of {@link listenToSystem}. */
export interface SystemListener {
  connected(connection: UserConnection): void;
  disconnected(of: ConnectionId & { reason: string | undefined }): void;
  /** The server's current time, in milliseconds since 1970. */
  clock(time: number): void;
}

/**
 * Subscribes to connects and disconnects of an account, on all servers. Source: `$SYS.ACCOUNT.<account>.CONNECT` and
 * `DISCONNECT` of the system account (docs/nats-facts.md, 17).
 *
 * @param nc a connection of the system account
 */
export function listenToSystem(
  nc: NatsConnection,
  account: string,
  listener: SystemListener,
): Subscription[] {
  const on = (what: 'CONNECT' | 'DISCONNECT') =>
    nc.subscribe(`$SYS.ACCOUNT.${account}.${what}`, {
      callback: (error, msg) => {
        if (error !== null) return;
        const parsed = v.safeParse(eventSchema, parseJson(msg.string()));
        if (!parsed.success) return;
        const { server, client, timestamp, reason } = parsed.output;
        listener.clock(Date.parse(timestamp));
        if (what === 'DISCONNECT') {
          listener.disconnected({ server: server.id, cid: client.id, reason });
          return;
        }
        if (client.user === undefined || client.jwt === undefined) return;
        listener.connected({
          server: server.id,
          cid: client.id,
          serverName: server.name,
          name: userNameOf(client.jwt) ?? '',
          publicKey: client.user,
          jwt: client.jwt,
          host: client.host,
          since: client.start ?? timestamp,
          kind: client.kind,
        });
      },
    });
  return [on('CONNECT'), on('DISCONNECT')];
}

/** All connections, as of one list. */
export interface ConnectionsNow {
  /** The IDs of the servers whose list is certain to be complete. */
  servers: Set<string>;
  connections: UserConnection[];
  /** Whether a server's list is incomplete, or a server did not respond. */
  isPartial?: boolean;
}

/**
 * Lists the current connections of an account, each one once, and the servers whose list is complete.
 *
 * @param known looks up a known connection: only unknown ones are requested in full
 * @param options how the servers are asked
 */
export async function connectionsNow(
  nc: NatsConnection,
  account: string,
  known: (of: ConnectionId) => UserConnection | undefined = () => undefined,
  options: Pick<ConnectedUsersOptions, 'over' | 'sizes' | 'pause'> = {},
): Promise<ConnectionsNow> {
  const read = await connectedUsers(nc, account, { ...options, isKnown: (of) => known(of) !== undefined });
  const connections = [...read.known.flatMap((of) => known(of) ?? []), ...read.users.flatMap(connectionOf)];
  return { servers: read.complete, connections, isPartial: !read.isComplete };
}

/**
 * Reads single connections in full. One that has ended is left out.
 *
 * @returns undefined if a server did not answer
 */
export async function readConnections(
  nc: NatsConnection,
  account: string,
  connections: readonly ConnectionId[],
  options: Pick<ConnectedUsersOptions, 'over' | 'pause'> = {},
): Promise<UserConnection[] | undefined> {
  const { users, isComplete } = await usersOfConnections(nc, account, connections, options);
  return isComplete ? users.flatMap(connectionOf) : undefined;
}

/** None if the server does not report its JWT. */
function connectionOf(user: ConnectedUser): UserConnection[] {
  const { server, cid, serverName, name, jwt, host, kind } = user;
  if (jwt === undefined) return [];
  // what the server reports: a master judges whether it is the key of the JWT
  const publicKey = user.reported ?? user.publicKey;
  const { since = new Date().toISOString() } = user;
  return [{ server, cid, serverName, name, publicKey, jwt, host, since, kind }];
}

/** The responding servers, and their routes. */
export interface ServersNow {
  /** Names of the servers that respond, by ID. A restarted server has a new ID. */
  names: ReadonlyMap<string, string>;
  /** Names of the servers that one of them has a route to. */
  routed: ReadonlySet<string>;
}

/** Lists the servers, with timeouts long enough for an overloaded one. */
export async function serversNow(nc: NatsConnection): Promise<ServersNow> {
  const servers = await listServers(nc, { stallMs: SERVERS_STALL_MS });
  return {
    names: new Map(servers.map(({ id, name }) => [id, name])),
    routed: new Set(servers.flatMap(({ routes }) => routes)),
  };
}

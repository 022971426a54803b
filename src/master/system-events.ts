import type { NatsConnection, Subscription } from '@nats-io/nats-core';
import * as v from 'valibot';
import { parseJson } from '../fleet/messages.js';
import { askAll } from '../nats-server/ask-all.js';
import { listServers } from '../nats-server/servers.js';

/** A connection of a user of the fleet's account, as its server tells of it. */
export interface UserConnection {
  /** The server's id, and the connection's on it. */
  server: string;
  cid: number;
  serverName: string | undefined;
  /** The name in the JWT: of a peel, its id, if it is one. */
  name: string;
  publicKey: string;
  jwt: string;
  host: string | undefined;
  /** ISO 8601, by the server's clock. */
  since: string;
}

/** By server and connection: what is unique. */
export function connectionKey({ server, cid }: Pick<UserConnection, 'server' | 'cid'>): string {
  return `${server}/${cid}`;
}

const eventSchema = v.object({
  timestamp: v.string(),
  server: v.object({ id: v.string(), name: v.optional(v.string()) }),
  client: v.object({
    id: v.number(),
    user: v.optional(v.string()),
    jwt: v.optional(v.string()),
    name_tag: v.optional(v.string()),
    host: v.optional(v.string()),
    start: v.optional(v.string()),
  }),
  reason: v.optional(v.string()),
});

const connzSchema = v.object({
  server: v.object({ id: v.string(), name: v.optional(v.string()) }),
  data: v.object({
    total: v.optional(v.number(), 0),
    connections: v.optional(
      v.array(
        v.object({
          cid: v.number(),
          ip: v.optional(v.string()),
          start: v.optional(v.string()),
          authorized_user: v.optional(v.string()),
          jwt: v.optional(v.string()),
          name_tag: v.optional(v.string()),
        }),
      ),
      [],
    ),
  }),
});

/** What {@link listenToSystem} hears. */
export interface SystemListener {
  connected(connection: UserConnection): void;
  disconnected(of: { server: string; cid: number; reason: string | undefined }): void;
  /** By the server's clock, in milliseconds since 1970: how late it is there at the moment of hearing it. */
  clock(time: number): void;
}

/**
 * Hears who connects to and disconnects from an account, on all servers.
 *
 * Source: `$SYS.ACCOUNT.<account>.CONNECT` and `DISCONNECT` of the system account (docs/nats-facts.md, 17).
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
          name: client.name_tag ?? '',
          publicKey: client.user,
          jwt: client.jwt,
          host: client.host,
          since: client.start ?? timestamp,
        });
      },
    });
  return [on('CONNECT'), on('DISCONNECT')];
}

/** As many as a server gives in one answer without making it larger than a message may be. */
const PAGE = 256;

/**
 * Everybody who is connected to an account now, and which servers answered.
 *
 * Source: `$SYS.REQ.SERVER.PING.CONNZ` of the system account.
 */
export async function connectionsNow(
  nc: NatsConnection,
  account: string,
): Promise<{ servers: Set<string>; connections: UserConnection[] }> {
  const up = await listServers(nc);
  const servers = new Set<string>();
  const connections = new Map<string, UserConnection>();
  for (let offset = 0; ; offset += PAGE) {
    const answers = await askAll(
      nc,
      '$SYS.REQ.SERVER.PING.CONNZ',
      JSON.stringify({ auth: true, acc: account, limit: PAGE, offset }),
      (all) => all.length >= up.length,
      { maxWait: 3_000, stall: 1_000 },
    );
    let more = false;
    for (const answer of answers) {
      const parsed = v.safeParse(connzSchema, parseJson(answer.string()));
      if (!parsed.success) continue;
      const { server, data } = parsed.output;
      servers.add(server.id);
      for (const { cid, ip, start, authorized_user, jwt, name_tag } of data.connections) {
        if (authorized_user === undefined || jwt === undefined) continue;
        const connection: UserConnection = {
          server: server.id,
          cid,
          serverName: server.name,
          name: name_tag ?? '',
          publicKey: authorized_user,
          jwt,
          host: ip,
          since: start ?? new Date().toISOString(),
        };
        connections.set(connectionKey(connection), connection);
      }
      more ||= data.total > offset + PAGE;
    }
    if (!more) return { servers, connections: [...connections.values()] };
  }
}

/** The ids of the servers that answer. */
export async function serversNow(nc: NatsConnection): Promise<Set<string>> {
  return new Set((await listServers(nc)).map(({ id }) => id));
}

// Lists the connected users of an account.
import type { NatsConnection } from '@nats-io/transport-node';
import * as v from 'valibot';
import { userNameOf, userSubjectAsServersReadIt } from '../jwt/decode.js';
import { askAll, jsonOf } from './ask-all.js';
import { compareVersions } from './server-versions.js';
import { listServers } from './servers.js';
import { SERVER_STATE_STALL_MS, SERVER_STATE_TIMEOUT_MS } from '../timing.js';

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

/** As many as a server gives in one answer without making it larger than a message may be. */
const PAGE = 256;

/** From this version on, CONNZ can list the connections of one user. */
const BY_USER_SINCE = '2.10.0';

/**
 * The users of an account that are connected now, on all servers, and the ids of the servers that reported them.
 *
 * Source: `$SYS.REQ.SERVER.PING.CONNZ` of the system account.
 *
 * @param nc a connection of the system account
 * @param account the public key (`A…`)
 * @param options.publicKey only the connections of this user (`U…`). Servers from 2.10 on look for them; of an older one
 *   all connections are read
 * @throws NatsServerError as `listServers`
 */
export async function connectedUsers(
  nc: NatsConnection,
  account: string,
  { publicKey }: { publicKey?: string } = {},
): Promise<{ servers: Set<string>; users: ConnectedUser[] }> {
  const up = await listServers(nc);
  const canFilter = up.every(({ version }) => compareVersions(version, BY_USER_SINCE) >= 0);
  const filter = publicKey !== undefined && canFilter ? { user: publicKey } : {};
  const servers = new Set<string>();
  const users: ConnectedUser[] = [];
  for (let offset = 0; ; offset += PAGE) {
    const answers = await askAll(
      nc,
      '$SYS.REQ.SERVER.PING.CONNZ',
      JSON.stringify({ auth: true, acc: account, limit: PAGE, offset, ...filter }),
      (all) => all.length >= up.length,
      { maxWait: SERVER_STATE_TIMEOUT_MS, stall: SERVER_STATE_STALL_MS },
    );
    let more = false;
    for (const answer of answers) {
      const parsed = v.safeParse(answerSchema, jsonOf(answer));
      if (!parsed.success) continue;
      const { server, data } = parsed.output;
      servers.add(server.id);
      for (const connection of data.connections) {
        const { cid, ip, start, kind, authorized_user, jwt, in_msgs, in_bytes } = connection;
        if (authorized_user === undefined || authorized_user !== (publicKey ?? authorized_user)) continue;
        users.push({
          name: (jwt === undefined ? undefined : userNameOf(jwt)) ?? '',
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
      // `total` counts all of the account, also where one user was asked for
      more ||= data.total > offset + PAGE && data.connections.length >= PAGE;
    }
    if (!more) return { servers, users };
  }
}

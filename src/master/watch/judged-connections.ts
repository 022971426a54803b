// Connections that a master has judged, in the form that the next master reads.
import * as v from 'valibot';
import type { ConnectionId } from '../../system-account/kick.js';
import type { ListedConnection } from '../../system-account/connected-users.js';
import type { UserConnection } from './system-events.js';

/** A connection that was judged, and by what. */
export interface JudgedConnection extends ConnectionId {
  /** The name and the key in its JWT. */
  name: string;
  publicKey: string;
  /** What signs JWTs in the trust domain that it was judged by: see `judgedBy`. */
  judgedBy: string;
}

/** The maximum number of connections in one value: together they stay well below a message's maximum size. */
const MAX_CONNECTIONS_PER_VALUE = 4_000;

const valueSchema = v.object({
  judgedBy: v.string(),
  /** The IDs of servers. */
  servers: v.array(v.string()),
  /** The name, the server as an index, the connection's number there, and the key. */
  connections: v.array(v.tuple([v.string(), v.number(), v.number(), v.string()])),
});

/** A stored value: the judged connections of some peels. */
export type JudgedValue = v.InferOutput<typeof valueSchema>;

/**
 * The value for some connections. Those beyond the maximum are left out: the next master judges them again.
 *
 * @param judgedBy of all of them
 * @example
 * encodeJudged([{ server: 'NA…', cid: 7, name: 'web-01', publicKey: 'U…' }], '…');
 * // { judgedBy: '…', servers: ['NA…'], connections: [['web-01', 0, 7, 'U…']] }
 */
export function encodeJudged(
  connections: Iterable<Omit<JudgedConnection, 'judgedBy'>>,
  judgedBy: string,
): JudgedValue {
  const servers = new Map<string, number>();
  const listed: JudgedValue['connections'] = [];
  for (const { server, cid, name, publicKey } of connections) {
    if (listed.length === MAX_CONNECTIONS_PER_VALUE) break;
    const index = servers.get(server) ?? servers.size;
    servers.set(server, index);
    listed.push([name, index, cid, publicKey]);
  }
  return { judgedBy, servers: [...servers.keys()], connections: listed };
}

/** The connections in a value; none if its form is unknown. */
export function* decodeJudged(value: unknown): Generator<JudgedConnection> {
  const parsed = v.safeParse(valueSchema, value);
  if (!parsed.success) return;
  const { judgedBy, servers, connections } = parsed.output;
  for (const [name, index, cid, publicKey] of connections) {
    const server = servers[index];
    if (server !== undefined) yield { server, cid, name, publicKey, judgedBy };
  }
}

/** The connections that earlier masters have judged, by server and number. */
export class RememberedConnections {
  readonly #byServer = new Map<string, Map<number, JudgedConnection>>();

  add(connection: JudgedConnection): void {
    const { server, cid } = connection;
    const connections = this.#byServer.get(server);
    if (connections === undefined) this.#byServer.set(server, new Map([[cid, connection]]));
    else connections.set(cid, connection);
  }

  /** A listed connection with what is remembered of it. Servers do not reuse numbers, and a connection keeps its JWT. */
  get(listed: ConnectionId & Partial<ListedConnection>): UserConnection | undefined {
    const judged = this.#byServer.get(listed.server)?.get(listed.cid);
    if (judged === undefined) return undefined;
    const { server, cid, name, publicKey, judgedBy } = judged;
    const { serverName, host, since = '', kind } = listed;
    return { server, cid, serverName, name, publicKey, jwt: undefined, judgedBy, host, since, kind };
  }

  clear(): void {
    this.#byServer.clear();
  }
}

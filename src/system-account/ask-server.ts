// Sends a request to one server, by its ID.
import { errors, type Msg, type NatsConnection } from '@nats-io/transport-node';

/** The requests to one server that Zester uses. */
export type ServerRequest = 'ACCOUNTZ' | 'CONNZ' | 'KICK' | 'VARZ';

/** The ID of a server, its public key. Others name it, so it must not be any other part of a subject. */
const SERVER_ID = /^N[A-Z2-7]{55}$/;

/**
 * Asks one server.
 *
 * Source: `$SYS.REQ.SERVER.<id>.<request>` of the system account (docs.nats.io, "System Account").
 *
 * @param nc a connection of the system account
 * @param server its ID (`N…`), as a server's answer or event names it
 * @param query the body, as JSON; undefined: empty
 * @throws NoRespondersError when there is no such server, or this is no server's ID; the client's other errors
 * @example await askServer(nc, id, 'CONNZ', { cid: 7 }, 2_000);
 */
export async function askServer(
  nc: Pick<NatsConnection, 'request'>,
  server: string,
  request: ServerRequest,
  query: object | undefined,
  timeoutMs: number,
): Promise<Msg> {
  if (!SERVER_ID.test(server)) throw new errors.NoRespondersError('a subject of a server');
  const data = query === undefined ? '' : JSON.stringify(query);
  return nc.request(`$SYS.REQ.SERVER.${server}.${request}`, data, { timeout: timeoutMs });
}

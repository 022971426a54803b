// Asks a server whether it still has a connection.
import type { NatsConnection } from '@nats-io/transport-node';
import * as v from 'valibot';
import { askServer } from './ask-server.js';
import { jsonOf } from './request-all.js';
import type { ConnectionId } from './kick.js';
import { CONNECTION_OPEN_TIMEOUT_MS } from '../timing.js';

const answerSchema = v.object({
  server: v.object({ id: v.string() }),
  data: v.object({ connections: v.optional(v.array(v.object({ cid: v.number() })), []) }),
});

/**
 * Whether a connection is open, according to its server. Costs the server one lookup.
 *
 * Source: `$SYS.REQ.SERVER.<id>.CONNZ` of the system account.
 *
 * @param nc a connection of the system account
 * @returns undefined: unknown, since the server does not answer, or there is no such server ID
 * @example if ((await isConnectionOpen(nc, { server: id, cid: 7 })) === false) console.log('it is gone');
 */
export async function isConnectionOpen(
  nc: Pick<NatsConnection, 'request'>,
  { server, cid }: ConnectionId,
): Promise<boolean | undefined> {
  try {
    const answer = await askServer(nc, server, 'CONNZ', { cid }, CONNECTION_OPEN_TIMEOUT_MS);
    const parsed = v.safeParse(answerSchema, jsonOf(answer));
    if (!parsed.success || parsed.output.server.id !== server) return undefined;
    return parsed.output.data.connections.some((connection) => connection.cid === cid);
  } catch {
    return undefined;
  }
}

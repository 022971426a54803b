// Asks a server whether it still has a connection.
import type { NatsConnection } from '@nats-io/transport-node';
import * as v from 'valibot';
import { jsonOf } from './request-all.js';
import type { ConnectionId } from './kick.js';
import { CONNECTION_OPEN_TIMEOUT_MS } from '../timing.js';

const answerSchema = v.object({
  server: v.object({ id: v.string() }),
  data: v.object({ connections: v.optional(v.array(v.object({ cid: v.number() })), []) }),
});

/** The ID of a server. Others name it, so it must not be any other part of a subject. */
const SERVER_ID = /^N[A-Z2-7]{55}$/;

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
  if (!SERVER_ID.test(server)) return undefined;
  try {
    const answer = await nc.request(`$SYS.REQ.SERVER.${server}.CONNZ`, JSON.stringify({ cid }), {
      timeout: CONNECTION_OPEN_TIMEOUT_MS,
    });
    const parsed = v.safeParse(answerSchema, jsonOf(answer));
    if (!parsed.success || parsed.output.server.id !== server) return undefined;
    return parsed.output.data.connections.some((connection) => connection.cid === cid);
  } catch {
    return undefined;
  }
}

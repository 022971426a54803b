// Queries the servers for the JetStream storage in use.
import type { NatsConnection } from '@nats-io/transport-node';
import { requestAll, jsonOf } from './request-all.js';
import type { ServerStorage } from './storage-headroom.js';
import { JETSTREAM_STATE_TIMEOUT_MS, PING_STALL_MS } from '../timing.js';

interface Answer {
  server?: { name?: string };
  data?: { config?: { max_storage?: number }; storage?: number };
}

/**
 * The file storage of each server that answers within two seconds and has JetStream.
 *
 * Source: `$SYS.REQ.SERVER.PING.JSZ`, of the system account. Cost: one message per server.
 *
 * @param nc a connection of the system account
 * @param servers the number of servers, to stop waiting early
 */
export async function jetStreamStorage(nc: NatsConnection, servers: number): Promise<ServerStorage[]> {
  const answers = await requestAll(nc, '$SYS.REQ.SERVER.PING.JSZ', '', (all) => all.length >= servers, {
    maxWait: JETSTREAM_STATE_TIMEOUT_MS,
    stall: PING_STALL_MS,
  });
  return answers.flatMap((answer) => {
    const { server, data } = jsonOf<Answer>(answer) ?? {};
    const maxBytes = data?.config?.max_storage;
    if (typeof maxBytes !== 'number' || typeof data?.storage !== 'number') return [];
    return [{ server: server?.name ?? 'a server', usedBytes: data.storage, maxBytes }];
  });
}

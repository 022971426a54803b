// Queries the servers for failures of JetStream.
import type { NatsConnection } from '@nats-io/nats-core';
import { requestAll, jsonOf } from './request-all.js';
import { storageProblem } from './storage-problem.js';
import { JETSTREAM_STATE_TIMEOUT_MS, PING_STALL_MS } from '../timing.js';

/** A server whose JetStream has stopped writing. */
export interface StorageFailure {
  server: string;
  /** The server's message, printable. */
  reason: string;
}

interface Answer {
  server?: { name?: string };
  data?: { error?: unknown };
}

/**
 * The servers whose JetStream has stopped writing for an account, of those that answer within two seconds.
 *
 * Source: `$SYS.REQ.SERVER.PING.HEALTHZ`, of the system account. Cost: one message per server, which checks the
 * account's streams.
 *
 * @param nc a connection of the system account
 * @param account its public key (`A…`)
 * @param servers the number of servers, to stop waiting early
 */
export async function storageFailures(
  nc: NatsConnection,
  account: string,
  servers: number,
): Promise<StorageFailure[]> {
  const request = JSON.stringify({ account });
  const answers = await requestAll(
    nc,
    '$SYS.REQ.SERVER.PING.HEALTHZ',
    request,
    (all) => all.length >= servers,
    {
      maxWait: JETSTREAM_STATE_TIMEOUT_MS,
      stall: PING_STALL_MS,
    },
  );
  return answers.flatMap((answer) => {
    const { server, data } = jsonOf<Answer>(answer) ?? {};
    const reason = storageProblem(data?.error);
    return reason === undefined ? [] : [{ server: server?.name ?? 'a server', reason }];
  });
}

// Closes a connection on its server.
import { errors, type NatsConnection } from '@nats-io/transport-node';
import { askServer } from './ask-server.js';
import { jsonOf } from './request-all.js';
import { KICK_TIMEOUT_MS } from '../timing.js';

/** Identifies a connection: the server's ID (`N…`), and the connection's number there. */
export interface ConnectionId {
  server: string;
  cid: number;
}

/**
 * The outcome of a kick.
 *
 * - `kicked`: the server closed it.
 * - `gone`: the server has no such connection (any more).
 * - `unanswered`: the server is older than 2.10, which cannot kick, did not answer in time, or these credentials are
 *   not authorized.
 */
export type KickOutcome = 'kicked' | 'gone' | 'unanswered';

/**
 * Closes one connection on its server: a client's, or a leafnode's. This is not a lock-out: a client that may still
 * connect reconnects within milliseconds, so revoke and push first.
 *
 * Source: `$SYS.REQ.SERVER.<id>.KICK` of the system account, nats-server 2.10 and newer (docs/nats-facts.md, 29).
 *
 * @param nc a connection of the system account
 * @param options.timeoutMs how long to wait for the server, in milliseconds; 2,000 by default
 * @example
 * const { users } = await connectedUsers(nc, account, { publicKey });
 * for (const user of users) await kick(nc, user);
 */
export async function kick(
  nc: NatsConnection,
  { server, cid }: ConnectionId,
  { timeoutMs = KICK_TIMEOUT_MS }: { timeoutMs?: number } = {},
): Promise<KickOutcome> {
  let answer;
  try {
    answer = await askServer(nc, server, 'KICK', { cid }, timeoutMs);
  } catch (error) {
    if (isUnanswered(error)) return 'unanswered';
    throw error;
  }
  const parsed = jsonOf<{ error?: { description?: string } }>(answer);
  // its only error: there is no connection with this number
  return parsed?.error === undefined ? 'kicked' : 'gone';
}

function isUnanswered(error: unknown): boolean {
  return (
    error instanceof errors.TimeoutError ||
    error instanceof errors.NoRespondersError ||
    (error instanceof errors.RequestError &&
      (error.isNoResponders() || error.cause instanceof errors.PermissionViolationError))
  );
}

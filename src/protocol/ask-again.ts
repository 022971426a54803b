// Resends an idempotent request until it is answered.
import { createInbox, type NatsConnection } from '@nats-io/nats-core';
import { setTimeout as delay } from 'node:timers/promises';
import { askError, type RawAnswer } from './ask.js';
import { isNobody } from './request-errors.js';
import { ASK_AGAIN_AT_MS, NO_RESPONDERS_RETRY_MS } from '../timing.js';

/** The options of {@link askAgain}. */
interface AskAgainOptions {
  /** The answer must arrive below this prefix. */
  inboxPrefix: string;
  /** Time limit for the answer, in milliseconds, in total. */
  timeoutMs: number;
}

/** The pauses before retries if there are no responders: a master may be about to reconnect. */
const NOBODY_TRIES = 10;

/**
 * Sends an idempotent request, and waits for the first answer. NATS loses messages in transit to a connection that
 * breaks, and the caller would wait in vain. It is sent at most three times: more would add to the load of masters
 * that are merely slow.
 *
 * @throws FleetError `ERR_FLEET_NO_MASTER` when there are no responders, also four seconds later; `ERR_FLEET_TIMEOUT`,
 *   `ERR_FLEET_DENIED`
 */
export async function askAgain(
  nc: NatsConnection,
  subject: string,
  data: Uint8Array,
  { inboxPrefix, timeoutMs }: AskAgainOptions,
): Promise<RawAnswer> {
  const end = performance.now() + timeoutMs;
  for (let tries = 1; ; tries += 1) {
    const reply = createInbox(inboxPrefix);
    const timeout = Math.max(1, end - performance.now());
    const again = ASK_AGAIN_AT_MS.map((ms) => setTimeout(() => publishAgain(nc, subject, data, reply), ms));
    try {
      return await nc.request(subject, data, { timeout, noMux: true, reply });
    } catch (cause) {
      const isLast = tries === NOBODY_TRIES || end - performance.now() <= NO_RESPONDERS_RETRY_MS;
      if (!isNobody(cause) || isLast) throw askError(nc, cause, timeoutMs);
    } finally {
      for (const timer of again) clearTimeout(timer);
    }
    await delay(NO_RESPONDERS_RETRY_MS);
  }
}

function publishAgain(nc: NatsConnection, subject: string, data: Uint8Array, reply: string): void {
  try {
    nc.publish(subject, data, { reply });
  } catch {
    // the connection has closed; the request reports that
  }
}

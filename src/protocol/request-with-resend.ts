// Resends an idempotent request until it is answered.
import { createInbox, type NatsConnection } from '@nats-io/nats-core';
import { setTimeout as delay } from 'node:timers/promises';
import { masterRequestError, type RawAnswer } from './admin-client.js';
import { isNoResponders } from './request-errors.js';
import { NO_RESPONDERS_RETRY_MS, RESEND_AT_MS } from '../timing.js';

/** The options of {@link requestWithResend}. */
interface ResendOptions {
  /** The answer must arrive below this prefix. */
  inboxPrefix: string;
  /** Time limit for the answer, in milliseconds, in total. */
  timeoutMs: number;
}

/** The number of attempts while there are no responders. */
const NO_RESPONDERS_ATTEMPTS = 10;

/**
 * Sends an idempotent request, and waits for the first answer. NATS loses messages in transit when a connection breaks,
 * so an unanswered request is resent: at most twice, so as not to add to the load of masters that are merely slow.
 *
 * @throws FleetError `ERR_FLEET_NO_MASTER` when there are no responders, not even four seconds later;
 *   `ERR_FLEET_TIMEOUT`, `ERR_FLEET_DENIED`
 */
export async function requestWithResend(
  nc: NatsConnection,
  subject: string,
  data: Uint8Array,
  { inboxPrefix, timeoutMs }: ResendOptions,
): Promise<RawAnswer> {
  const end = performance.now() + timeoutMs;
  for (let tries = 1; ; tries += 1) {
    const reply = createInbox(inboxPrefix);
    const timeout = Math.max(1, end - performance.now());
    const resends = RESEND_AT_MS.map((ms) => setTimeout(() => resend(nc, subject, data, reply), ms));
    try {
      return await nc.request(subject, data, { timeout, noMux: true, reply });
    } catch (cause) {
      const isLast = tries === NO_RESPONDERS_ATTEMPTS || end - performance.now() <= NO_RESPONDERS_RETRY_MS;
      if (!isNoResponders(cause) || isLast) throw masterRequestError(nc, cause, timeoutMs);
    } finally {
      for (const timer of resends) clearTimeout(timer);
    }
    await delay(NO_RESPONDERS_RETRY_MS);
  }
}

function resend(nc: NatsConnection, subject: string, data: Uint8Array, reply: string): void {
  try {
    nc.publish(subject, data, { reply });
  } catch {
    // the connection has closed; the request reports that
  }
}

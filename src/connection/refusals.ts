// Reports a repeated refusal once, and then with increasing intervals.
import { redactSeeds } from '../errors.js';
import { REFUSAL_REPORT_MS } from '../timing.js';

/** An unspecific refusal, and the specific ones that it may repeat. */
const VAGUE = /authorization violation/i;
const SPECIFIC = /revoked|expired/i;

/** A refusal to report. */
export interface RefusalReport {
  /** The server's message, safe to print. */
  reason: string;
  /** The number of refusals since the outage began. */
  attempts: number;
  /** What may be wrong, and how to fix it. */
  advice: string;
}

/**
 * Decides which refusals to report: the first of an outage, each with a new reason, and repeated ones with increasing
 * intervals. A connection retries every other second; a log line for each attempt would bury everything else.
 */
export class Refusals {
  #reason: string | undefined;
  #attempts = 0;
  #reports = 0;
  #next = 0;

  /**
   * @param message the server's message
   * @param now milliseconds of a monotonic clock
   * @returns undefined: it was reported recently
   */
  note(message: string, now: number): RefusalReport | undefined {
    const text = redactSeeds(message)
      .slice(0, 200)
      .replace(/[^\u0020-\u007e]/g, '?');
    // a server says "revoked" when it cuts the connection, but only "authorization violation" at later attempts
    const reason = VAGUE.test(text) && SPECIFIC.test(this.#reason ?? '') ? (this.#reason ?? text) : text;
    this.#attempts += 1;
    if (reason !== this.#reason) this.#reports = 0;
    else if (now < this.#next) return undefined;
    this.#reason = reason;
    this.#next = now + (REFUSAL_REPORT_MS[Math.min(this.#reports, REFUSAL_REPORT_MS.length - 1)] ?? 0);
    this.#reports += 1;
    return { reason, attempts: this.#attempts, advice: adviceFor(reason) };
  }

  /** Called when the outage is over. */
  reset(): void {
    this.#reason = undefined;
    this.#attempts = 0;
    this.#reports = 0;
  }
}

/** Advice by the text of nats-server's `-ERR` (server/errors.go). */
function adviceFor(reason: string): string {
  if (/account authentication expired/i.test(reason))
    return "the account's JWT has expired: issue a new one, and push it";
  if (/expired/i.test(reason))
    return 'the credentials have expired: replace the .creds file ("zester peel recover --creds FILE", or "zester peel add ID --replace")';
  if (/revoked/i.test(reason))
    return 'the credentials are revoked: request new ones ("zester peel show ID" shows who revoked them)';
  if (/authoriz|authentic/i.test(reason))
    return (
      'the credentials are revoked, expired, or belong to another operator or account: check with "zester doctor --creds FILE", and replace expired ones with ' +
      '"zester peel recover --creds FILE"; ' +
      'a new file in their place is picked up automatically'
    );
  if (/maximum (account )?(active )?connections/i.test(reason))
    return 'the server or the account is at its connection limit: raise the limit, or close other connections';
  return 'see the server log';
}

// Reports a repeated refusal once, and then less and less often.
import { REFUSAL_REPORT_MS } from '../timing.js';

/** A less specific refusal, and the more specific one that it repeats. */
const VAGUE = /authorization violation/i;
const TELLING = /revoked|expired/i;

/** A refusal to report. */
export interface RefusalReport {
  /** The server's message, safe to print. */
  reason: string;
  /** How often the server refused since the outage began. */
  attempts: number;
  /** What may be wrong, and how to fix it. */
  advice: string;
}

/**
 * Decides which refusals to report: the first of an outage, any with another reason, and the rest less and less
 * often. A connection retries every other second; a log line for each would bury everything else.
 */
export class Refusals {
  #reason: string | undefined;
  #attempts = 0;
  #said = 0;
  #next = 0;

  /**
   * @param words the server's message
   * @param now milliseconds of a monotonic clock
   * @returns undefined: it was reported recently
   */
  note(words: string, now: number): RefusalReport | undefined {
    const text = words.slice(0, 200).replace(/[^\u0020-\u007e]/g, '?');
    // a server says "revoked" when it cuts the connection, but only "authorization violation" at later attempts
    const reason = VAGUE.test(text) && TELLING.test(this.#reason ?? '') ? (this.#reason ?? text) : text;
    this.#attempts += 1;
    if (reason !== this.#reason) this.#said = 0;
    else if (now < this.#next) return undefined;
    this.#reason = reason;
    this.#next = now + (REFUSAL_REPORT_MS[Math.min(this.#said, REFUSAL_REPORT_MS.length - 1)] ?? 0);
    this.#said += 1;
    return { reason, attempts: this.#attempts, advice: adviceFor(reason) };
  }

  /** Called when the outage is over. */
  reset(): void {
    this.#reason = undefined;
    this.#attempts = 0;
    this.#said = 0;
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
    return 'the server or the account has no room for another connection: raise the limit, or close others';
  return 'see the server log';
}

// Logs outages of a master's connections once.
import { logEvent, type ConnectionEvent } from '../../connection/events.js';
import type { MasterLogger } from '../logger.js';
import { SAME_LOG_MS } from '../../timing.js';

/**
 * Logs the state of a master's connections. A failing server takes down several connections: logs one line for the
 * outage, and one when all are back.
 */
export class ConnectionLog {
  readonly #logger: MasterLogger;
  readonly #clock: () => number;
  readonly #down = new Set<string>();
  readonly #loggedAt = new Map<string, number>();
  readonly #undelivered = { messages: 0, bytes: 0 };

  /** @param clock a monotonic clock, in milliseconds */
  constructor(logger: MasterLogger, clock: () => number = () => performance.now()) {
    this.#logger = logger;
    this.#clock = clock;
  }

  /** The names of the connections that are down. */
  get down(): ReadonlySet<string> {
    return this.#down;
  }

  /** Whether a connection is down. */
  get isDown(): boolean {
    return this.#down.size > 0;
  }

  /**
   * Handles an event of a connection.
   *
   * @param name the connection's name
   * @param credsPath its credentials; connections that share a file load or fail together
   */
  handle(name: string, credsPath: string, event: ConnectionEvent): void {
    switch (event.type) {
      case 'buffering':
        if (!this.isDown) logEvent(this.#logger, event);
        this.#down.add(name);
        return;
      case 'reconnected':
        if (this.#down.delete(name) && !this.isDown) logEvent(this.#logger, event);
        return;
      case 'bufferSent':
        return this.#logger.debug(
          { ...event, connection: name },
          'sent the messages that were buffered during the outage',
        );
      case 'undelivered':
        this.#undelivered.messages += event.messages;
        this.#undelivered.bytes += event.bytes;
        return;
      default:
        return this.#logOnce(credsPath, event);
    }
  }

  /** Logs messages that no connection delivered. Call it when all are closed. */
  end(): void {
    if (this.#undelivered.messages > 0) logEvent(this.#logger, { type: 'undelivered', ...this.#undelivered });
  }

  #logOnce(credsPath: string, event: ConnectionEvent): void {
    const line = (level: 'info' | 'warn') => (fields: object, message: string) => {
      const now = this.#clock();
      for (const [text, at] of this.#loggedAt) if (now - at >= SAME_LOG_MS) this.#loggedAt.delete(text);
      const text = `${credsPath}\n${message}`;
      if (this.#loggedAt.has(text)) return;
      this.#loggedAt.set(text, now);
      this.#logger[level]({ ...fields, creds: credsPath }, message);
    };
    logEvent({ info: line('info'), warn: line('warn') }, event);
  }
}

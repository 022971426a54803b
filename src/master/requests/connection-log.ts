// Logs outages of a master's connections once.
import { logEvent, type ConnectionEvent } from '../../connection/events.js';
import type { MasterLogger } from '../logger.js';
import { SAME_LOG_MS } from '../../timing.js';

/**
 * Logs the state of a master's connections. A server that goes down takes several with it: logs one line for the
 * outage, and one when all are back.
 */
export class ConnectionLog {
  readonly #logger: MasterLogger;
  readonly #clock: () => number;
  readonly #down = new Set<string>();
  readonly #said = new Map<string, number>();
  readonly #undelivered = { messages: 0, bytes: 0 };

  /** @param clock milliseconds of a monotonic clock */
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
   * @param name which connection
   * @param credsPath its credentials: several connections may share a file, and load or fail together
   */
  hear(name: string, credsPath: string, event: ConnectionEvent): void {
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
        return this.#once(credsPath, event);
    }
  }

  /** Logs messages that no connection delivered. Call it when all are closed. */
  end(): void {
    if (this.#undelivered.messages > 0) logEvent(this.#logger, { type: 'undelivered', ...this.#undelivered });
  }

  #once(credsPath: string, event: ConnectionEvent): void {
    const line = (level: 'info' | 'warn') => (fields: object, message: string) => {
      const now = this.#clock();
      for (const [text, at] of this.#said) if (now - at >= SAME_LOG_MS) this.#said.delete(text);
      const text = `${credsPath}\n${message}`;
      if (this.#said.has(text)) return;
      this.#said.set(text, now);
      this.#logger[level]({ ...fields, creds: credsPath }, message);
    };
    logEvent({ info: line('info'), warn: line('warn') }, event);
  }
}

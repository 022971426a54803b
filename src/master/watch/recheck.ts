// Rereads the JWTs of known connections after lost events: a connection may have changed its user.
import { errorMessage } from '../../text/error-message.js';
import { RECHECK_INTERVAL_MS, RECHECK_MAX_DELAY_MS, RECHECK_MAX_RETRY_MS } from '../../timing.js';
import type { MasterLogger } from '../logger.js';
import type { UserConnection } from './system-events.js';

/** Connections per batch: with {@link RECHECK_INTERVAL_MS}, 200 a second. */
const AT_ONCE = 50;

/** The dependencies of a {@link Recheck}. */
export interface RecheckParts {
  /** Reads connections in full, and omits those that have ended. undefined: a server did not answer. */
  read: (connections: readonly UserConnection[]) => Promise<readonly UserConnection[] | undefined>;
  isConnected: (connection: UserConnection) => boolean;
  /** Whether connections are being listed or judged, which takes priority, up to a limit. */
  isBusy: () => boolean;
  /** Called for each connection that was read. */
  onRead: (connection: UserConnection) => void;
  logger: MasterLogger;
}

/**
 * Rereads known connections after lost events. A client may change its user by another CONNECT on the same connection
 * (docs/nats-facts.md, 43), which only an event reports.
 *
 * Cost: one request per connection and outage, at most 200 a second. It yields to a storm of connections; a list with all
 * JWTs would hit the servers at the worst time.
 */
export class Recheck {
  readonly #parts: RecheckParts;
  readonly #waiting = new Set<UserConnection>();
  #timer: NodeJS.Timeout | undefined;
  #isReading = false;
  #stopped = false;
  #pauseMs = RECHECK_INTERVAL_MS;
  /** When the queue was last empty, in milliseconds. */
  #since = 0;

  constructor(parts: RecheckParts) {
    this.#parts = parts;
  }

  /** Queues connections. */
  add(connections: Iterable<UserConnection>): void {
    if (this.#waiting.size === 0) this.#since = performance.now();
    for (const connection of connections) this.#waiting.add(connection);
    this.#schedule();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#waiting.clear();
  }

  #schedule(): void {
    if (this.#stopped || this.#isReading || this.#timer !== undefined || this.#waiting.size === 0) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      // a thief must not stay unjudged by keeping the master busy
      const isDue = !this.#parts.isBusy() || performance.now() - this.#since >= RECHECK_MAX_DELAY_MS;
      if (isDue) void this.#readNext();
      else this.#schedule();
    }, this.#pauseMs).unref();
  }

  async #readNext(): Promise<void> {
    this.#isReading = true;
    const batch = this.#take();
    try {
      const read = await this.#parts.read(batch);
      if (read === undefined) throw new Error('a server did not answer');
      this.#pauseMs = RECHECK_INTERVAL_MS;
      if (this.#stopped) return;
      for (const connection of read) {
        const known = batch.find(({ server, cid }) => server === connection.server && cid === connection.cid);
        // a newer event takes precedence
        if (known !== undefined && this.#parts.isConnected(known)) this.#parts.onRead(connection);
      }
    } catch (error) {
      this.#parts.logger.debug(
        { error: errorMessage(error) },
        'cannot read connections again; retrying with backoff',
      );
      this.#pauseMs = Math.min(RECHECK_MAX_RETRY_MS, this.#pauseMs * 2);
      for (const connection of batch) this.#waiting.add(connection);
    } finally {
      this.#isReading = false;
      this.#schedule();
    }
  }

  /** Takes the next connections that still exist. */
  #take(): UserConnection[] {
    const batch: UserConnection[] = [];
    for (const connection of this.#waiting) {
      if (batch.length === AT_ONCE) break;
      this.#waiting.delete(connection);
      if (this.#parts.isConnected(connection)) batch.push(connection);
    }
    return batch;
  }
}

// Reads the JWTs of known connections again after events were lost: a connection may have got another user.
import { errorMessage } from '../../text/error-message.js';
import { RECHECK_INTERVAL_MS, RECHECK_MAX_DELAY_MS, RECHECK_MAX_RETRY_MS } from '../../timing.js';
import type { MasterLogger } from '../logger.js';
import type { UserConnection } from './system-events.js';

/** Connections that are read at a time: with {@link RECHECK_INTERVAL_MS}, 200 a second. */
const AT_ONCE = 50;

/** The dependencies of a {@link Recheck}. */
export interface RecheckParts {
  /** Reads connections in full; one that has ended is left out. undefined: a server did not answer. */
  read: (connections: readonly UserConnection[]) => Promise<readonly UserConnection[] | undefined>;
  isConnected: (connection: UserConnection) => boolean;
  /** Whether connections are being listed or judged: that comes first, for a while. */
  isBusy: () => boolean;
  /** Called with each connection that was read. */
  onRead: (connection: UserConnection) => void;
  logger: MasterLogger;
}

/**
 * A client may send another CONNECT over its connection, and is another user then, under the same number
 * (docs/nats-facts.md, 43). The server reports it as an event. After an outage of the events, each known connection is read
 * again, so that no user stays unjudged.
 *
 * Cost: one request per connection and outage, 200 a second, however many outages there are, and none while a storm of
 * connections is being judged. A list with all JWTs would come at the worst time for the servers.
 */
export class Recheck {
  readonly #parts: RecheckParts;
  readonly #waiting = new Set<UserConnection>();
  #timer: NodeJS.Timeout | undefined;
  #isReading = false;
  #stopped = false;
  #pauseMs = RECHECK_INTERVAL_MS;
  /** When the oldest of them began to wait, in milliseconds. */
  #since = 0;

  constructor(parts: RecheckParts) {
    this.#parts = parts;
  }

  /** Reads connections again, some time later. */
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
      // but a thief who keeps a master busy must not remain unjudged
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
        // an event that came meanwhile is newer
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

  /** The next connections that are still there. */
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

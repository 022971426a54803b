// Lists all connections periodically: one list at a time, within a bounded share of the time.
import type { ConnectionPlace } from '../../system-account/connected-users.js';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { errorMessage } from '../../text/error-message.js';
import type { MasterLogger } from '../logger.js';
import type { PresenceKeeper } from './presence-keeper.js';
import { Reading, readingPause } from './reading.js';
import type { ConnectionsNow, UserConnection } from './system-events.js';

/** Connections applied per turn of the event loop. */
const APPLIED_AT_ONCE = 500;
/** Attempts after which a partial list is good enough to start with. */
const FIRST_TRIES = 4;
/** A list that takes longer than this is logged, in milliseconds. */
const LONG_MS = 10_000;

/** The dependencies of a {@link ConnectionReader}. */
export interface ConnectionReaderParts {
  /** Reads all connections of the account. */
  read: () => Promise<ConnectionsNow>;
  keeper: PresenceKeeper;
  connected: (connection: UserConnection) => void;
  disconnected: (of: ConnectionPlace) => void;
  logger: MasterLogger;
  /** Called after each reading. @param tookMs milliseconds */
  onRead: (tookMs: number) => void;
  /** Called after a list that leaves nothing unknown: see {@link ConnectionReader.isUnsure}. */
  onSure: () => void;
}

/** Reconciles the connections known from events with the servers' lists, in case an event was lost. */
export class ConnectionReader {
  readonly #parts: ConnectionReaderParts;
  #reading: Reading | undefined;
  #running: Promise<void> | undefined;
  #isUnsure = true;
  #isApplying = false;
  #wanted = false;
  #wake: (() => void) | undefined;
  #stopped = false;

  constructor(parts: ConnectionReaderParts) {
    this.#parts = parts;
  }

  get isReading(): boolean {
    return this.#reading !== undefined;
  }

  /**
   * Whether there may be unknown connections that are older than the known ones, so nothing is judged: until the
   * first list, while a list is read because events were lost, and while a list is applied.
   */
  get isUnsure(): boolean {
    return this.#isUnsure || this.#isApplying;
  }

  /** Records a connect event: it takes precedence over a list that is being read. */
  noteConnected(of: ConnectionPlace): void {
    this.#reading?.connected(of);
  }

  noteDisconnected(of: ConnectionPlace): void {
    this.#reading?.disconnected(of);
  }

  /** Starts. Resolves when all connections have been read once, or the reader was stopped. */
  start(): Promise<void> {
    return new Promise((resolve) => {
      this.#running = this.#run(resolve).finally(resolve);
    });
  }

  /** Schedules another list after the current one: an event may have been lost. */
  readSoon(): void {
    this.#wanted = true;
    this.#wake?.();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wake?.();
    await this.#running;
  }

  async #run(first: () => void): Promise<void> {
    let early = 0;
    let isFirstDone = false;
    for (let count = 1; !this.#stopped; count += 1) {
      this.#isUnsure ||= this.#wanted;
      this.#wanted = false;
      const startedAt = performance.now();
      const outcome = await this.#readOnce();
      const tookMs = performance.now() - startedAt;
      this.#parts.onRead(tookMs);
      const isWhole = outcome === 'whole';
      isFirstDone ||= isWhole || (outcome === 'partial' && count >= FIRST_TRIES);
      if (isFirstDone) {
        this.#isUnsure = false;
        this.#parts.onSure();
        first();
      }
      this.#tellLong(tookMs);
      if (!isWhole) early += 1;
      const isEarly = await this.#pause(isWhole, {
        due: readingPause({ tookMs, early, isWanted: false }),
        soon: readingPause({ tookMs, early, isWanted: true }),
      });
      if (isWhole) early = isEarly ? early + 1 : 0;
    }
  }

  /** @returns whether the pause was cut short, because the next reading is wanted early */
  async #pause(isWhole: boolean, { due, soon }: { due: number; soon: number }): Promise<boolean> {
    this.#wanted ||= !isWhole;
    for (const startedAt = performance.now(); !this.#stopped;) {
      const left = (this.#wanted ? soon : due) - (performance.now() - startedAt);
      if (left <= 0) break;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left).unref();
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#wake = undefined;
    }
    return this.#wanted;
  }

  async #readOnce(): Promise<'whole' | 'partial' | 'failed'> {
    const { keeper, connected, disconnected, logger } = this.#parts;
    const reading = new Reading();
    this.#reading = reading;
    try {
      const read = await this.#parts.read();
      this.#isApplying = true;
      for (const [i, connection] of read.connections.entries()) {
        if (i > 0 && i % APPLIED_AT_ONCE === 0) await nextTurn();
        if (this.#stopped) return 'whole';
        if (!reading.hasEnded(connection)) connected(connection);
      }
      // a server that did not respond may still be there: ServerRoster decides whether it is gone
      for (const connection of reading.gone(read, keeper.all())) disconnected(connection);
      return read.isPartial === true ? 'partial' : 'whole';
    } catch (error) {
      logger.debug({ error: errorMessage(error) }, 'the connections cannot be read');
      return 'failed';
    } finally {
      this.#reading = undefined;
      this.#isApplying = false;
    }
  }

  #tellLong(tookMs: number): void {
    if (tookMs < LONG_MS) return;
    this.#parts.logger.warn(
      { tookMs: Math.round(tookMs) },
      'overloaded: reading all connections takes long; it is done less often',
    );
  }
}

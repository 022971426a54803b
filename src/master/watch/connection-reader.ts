// Lists all connections periodically: one list at a time, within a bounded share of the time.
import type { ConnectionId } from '../../system-account/kick.js';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { errorMessage } from '../../text/error-message.js';
import type { MasterLogger } from '../logger.js';
import type { PresenceKeeper } from './presence-keeper.js';
import { Reading, readingPause } from './reading.js';
import type { ConnectionsNow, UserConnection } from './system-events.js';

/** Connections applied per turn of the event loop. */
const APPLIED_AT_ONCE = 500;
/** The attempts after which a partial list is good enough to start with. */
const MAX_FIRST_TRIES = 4;
/** A list that takes longer than this is logged, in milliseconds. */
const SLOW_MS = 10_000;

/** The dependencies of a {@link ConnectionReader}. */
export interface ConnectionReaderParts {
  /** Reads all connections of the account. */
  read: () => Promise<ConnectionsNow>;
  keeper: PresenceKeeper;
  connected: (connection: UserConnection) => void;
  disconnected: (of: ConnectionId) => void;
  logger: MasterLogger;
  /** Called after each reading. @param tookMs milliseconds */
  onRead: (tookMs: number) => void;
  /** Called after a list that leaves nothing unknown: see {@link ConnectionReader.isUncertain}. */
  onCertain: () => void;
}

/** Reconciles the connections known from events with the servers' lists, in case an event was lost. */
export class ConnectionReader {
  readonly #parts: ConnectionReaderParts;
  #reading: Reading | undefined;
  #running: Promise<void> | undefined;
  #isUncertain = true;
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
  get isUncertain(): boolean {
    return this.#isUncertain || this.#isApplying;
  }

  /** Records a connect event: it takes precedence over a list that is being read. */
  noteConnected(of: ConnectionId): void {
    this.#reading?.connected(of);
  }

  noteDisconnected(of: ConnectionId): void {
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
      this.#isUncertain ||= this.#wanted;
      this.#wanted = false;
      const startedAt = performance.now();
      const outcome = await this.#readOnce();
      const tookMs = performance.now() - startedAt;
      this.#parts.onRead(tookMs);
      const isComplete = outcome === 'complete';
      isFirstDone ||= isComplete || (outcome === 'partial' && count >= MAX_FIRST_TRIES);
      if (isFirstDone) {
        this.#isUncertain = false;
        this.#parts.onCertain();
        first();
      }
      this.#logSlow(tookMs);
      if (!isComplete) early += 1;
      const isEarly = await this.#pause(isComplete, {
        due: readingPause({ tookMs, early, isWanted: false }),
        soon: readingPause({ tookMs, early, isWanted: true }),
      });
      if (isComplete) early = isEarly ? early + 1 : 0;
    }
  }

  /** @returns whether the pause was cut short, because the next reading is wanted early */
  async #pause(isComplete: boolean, { due, soon }: { due: number; soon: number }): Promise<boolean> {
    this.#wanted ||= !isComplete;
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

  async #readOnce(): Promise<'complete' | 'partial' | 'failed'> {
    const { keeper, connected, disconnected, logger } = this.#parts;
    const reading = new Reading();
    this.#reading = reading;
    try {
      const read = await this.#parts.read();
      this.#isApplying = true;
      for (const [i, connection] of read.connections.entries()) {
        if (i > 0 && i % APPLIED_AT_ONCE === 0) await nextTurn();
        if (this.#stopped) return 'complete';
        if (!reading.hasChanged(connection)) connected(connection);
      }
      // a server that did not respond may still run: ServerRoster decides whether it is gone
      for (const connection of reading.gone(read, keeper.all())) disconnected(connection);
      return read.isPartial === true ? 'partial' : 'complete';
    } catch (error) {
      logger.debug({ error: errorMessage(error) }, 'cannot read the connections');
      return 'failed';
    } finally {
      this.#reading = undefined;
      this.#isApplying = false;
    }
  }

  #logSlow(tookMs: number): void {
    if (tookMs < SLOW_MS) return;
    this.#parts.logger.warn(
      { tookMs: Math.round(tookMs) },
      'overloaded: reading all connections takes long; reading them less often',
    );
  }
}

// Judges connections one after the other, a few milliseconds at a time.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { errorMessage } from '../../text/error-message.js';
import {
  JUDGE_FIRST_RETRY_MS,
  JUDGE_LATE_LOG_INTERVAL_MS,
  JUDGE_LATE_MS,
  JUDGE_MAX_RETRY_MS,
  JUDGE_TURN_MS,
} from '../../timing.js';
import type { MasterLogger } from '../logger.js';
import { StoreWorkQueue, type StoreWork } from './store-work.js';
import type { UserConnection } from './system-events.js';

/** The maximum number of attempts to judge a connection that has already ended. */
const TRIES_WHEN_GONE = 5;

/** The dependencies of a {@link JudgingQueue}. */
export interface JudgingQueueParts {
  /** Called before connections are judged, to load the latest changes. */
  prepare: () => Promise<void>;
  /**
   * Judges a connection, and carries out the decision. undefined: done. Otherwise the rest of it waits for JetStream; if
   * that does not answer, the connection is judged again.
   */
  judge: (connection: UserConnection, isSurplus: boolean) => StoreWork | undefined;
  isConnected: (connection: UserConnection) => boolean;
  /** Whether judging is on hold. {@link JudgingQueue.resume} is called when the hold ends. */
  isHeld: () => boolean;
  logger: MasterLogger;
  /** Called with the number of waiting connections. */
  onWaiting: (count: number) => void;
}

interface Entry {
  isSurplus: boolean;
  tries: number;
  since: number;
}

/**
 * The connections to judge. However many arrive at once, they are judged for a few milliseconds at a time, so that
 * requests are answered in between. A connection that is to be refused does not wait for the records of others.
 */
export class JudgingQueue {
  readonly #parts: JudgingQueueParts;
  readonly #waiting = new Map<UserConnection, Entry>();
  readonly #retrying = new Map<UserConnection, NodeJS.Timeout>();
  readonly #work = new StoreWorkQueue(() => this.#noteProgress());
  #isJudging = false;
  #stopped = false;
  #lateLoggedAt = -Infinity;
  #isLate = false;

  constructor(parts: JudgingQueueParts) {
    this.#parts = parts;
  }

  /** Number of connections that wait or are being judged. */
  get size(): number {
    return this.#waiting.size + this.#work.size + this.#retrying.size;
  }

  add(connection: UserConnection, isSurplus = false): void {
    this.#work.arrived();
    this.#add(connection, isSurplus, 0);
  }

  /** Resumes judging after a hold. */
  resume(): void {
    void this.#judgeWaiting();
  }

  stop(): void {
    this.#stopped = true;
    for (const timer of this.#retrying.values()) clearTimeout(timer);
    this.#retrying.clear();
    this.#waiting.clear();
    this.#work.stop();
  }

  #add(connection: UserConnection, isSurplus: boolean, tries: number): void {
    if (this.#stopped) return;
    clearTimeout(this.#retrying.get(connection));
    this.#retrying.delete(connection);
    const known = this.#waiting.get(connection);
    if (known === undefined) this.#waiting.set(connection, { isSurplus, tries, since: performance.now() });
    else known.isSurplus ||= isSurplus;
    void this.#judgeWaiting();
  }

  async #judgeWaiting(): Promise<void> {
    if (this.#isJudging) return;
    this.#isJudging = true;
    try {
      while (this.#waiting.size > 0 && !this.#stopped && !this.#parts.isHeld()) {
        await this.#parts.prepare();
        if (this.#parts.isHeld()) break;
        const end = performance.now() + JUDGE_TURN_MS;
        for (const [connection, entry] of this.#waiting) {
          this.#waiting.delete(connection);
          this.#judge(connection, entry);
          if (performance.now() > end) break;
        }
        this.#parts.onWaiting(this.size);
        await nextTurn();
      }
    } finally {
      this.#isJudging = false;
      this.#noteProgress();
    }
  }

  #judge(connection: UserConnection, entry: Entry): void {
    const work = this.#parts.judge(connection, entry.isSurplus);
    if (work === undefined) return this.#logLate(entry);
    this.#work.add({
      isUrgent: work.isUrgent,
      run: async () => {
        this.#logLate(entry);
        await work.run().catch((error: unknown) => this.#retry(connection, entry, error));
      },
    });
  }

  #retry(connection: UserConnection, { tries }: Entry, error: unknown): void {
    if (this.#stopped) return;
    if (tries === 0) {
      this.#parts.logger.error(
        { peelId: connection.name, error: errorMessage(error) },
        'cannot judge a connection; retrying with backoff',
      );
    }
    if (tries + 1 >= TRIES_WHEN_GONE && !this.#parts.isConnected(connection)) return;
    const most = Math.min(JUDGE_MAX_RETRY_MS, JUDGE_FIRST_RETRY_MS * 2 ** tries);
    // jitter: JetStream has just been overloaded by all of them
    const timer = setTimeout(() => this.#add(connection, false, tries + 1), most * (0.5 + Math.random() / 2));
    this.#retrying.set(connection, timer.unref());
  }

  #logLate({ since }: Entry): void {
    const now = performance.now();
    if (now - since < JUDGE_LATE_MS) return;
    this.#isLate = true;
    if (now - this.#lateLoggedAt < JUDGE_LATE_LOG_INTERVAL_MS) return;
    this.#lateLoggedAt = now;
    this.#parts.logger.warn(
      { waiting: this.size, waitedMs: Math.round(now - since) },
      'overloaded: connections wait to be judged or recorded; decisions of admins and renewals come first',
    );
  }

  #noteProgress(): void {
    const { size } = this;
    this.#parts.onWaiting(size);
    if (!this.#isLate || size > 0 || this.#stopped) return;
    this.#isLate = false;
    this.#parts.logger.info({}, 'no longer overloaded: every connection has been judged');
  }
}

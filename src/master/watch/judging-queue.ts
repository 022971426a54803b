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
import type { UserConnection } from './system-events.js';

/** The maximum number of judgments that wait for JetStream at a time. Requests do not wait for them. */
const MAX_RUNNING = 64;
/** The maximum number of attempts to judge a connection that has already ended. */
const TRIES_WHEN_GONE = 5;

/** The dependencies of a {@link JudgingQueue}. */
export interface JudgingQueueParts {
  /** Called before connections are judged, to load the latest changes. */
  prepare: () => Promise<void>;
  /**
   * Judges a connection, and carries out the decision. undefined: done. Rejects if JetStream does not answer; it is
   * then retried.
   */
  judge: (connection: UserConnection, isSurplus: boolean) => Promise<void> | undefined;
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
 * requests are answered in between, and only a few wait for JetStream.
 */
export class JudgingQueue {
  readonly #parts: JudgingQueueParts;
  readonly #waiting = new Map<UserConnection, Entry>();
  readonly #retrying = new Map<UserConnection, NodeJS.Timeout>();
  #running = 0;
  #isJudging = false;
  #slotFree: (() => void) | undefined;
  #stopped = false;
  #lateLoggedAt = -Infinity;
  #isLate = false;

  constructor(parts: JudgingQueueParts) {
    this.#parts = parts;
  }

  /** Number of connections that wait or are being judged. */
  get size(): number {
    return this.#waiting.size + this.#running + this.#retrying.size;
  }

  add(connection: UserConnection, isSurplus = false): void {
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
    this.#slotFree?.();
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
          if (this.#running >= MAX_RUNNING) break;
          this.#waiting.delete(connection);
          this.#logLate(entry);
          this.#judge(connection, entry);
          if (performance.now() > end) break;
        }
        this.#parts.onWaiting(this.size);
        if (this.#running >= MAX_RUNNING) await new Promise<void>((resolve) => (this.#slotFree = resolve));
        await nextTurn();
      }
    } finally {
      this.#isJudging = false;
      this.#parts.onWaiting(this.size);
    }
    this.#logCaughtUp();
  }

  #judge(connection: UserConnection, entry: Entry): void {
    const judging = this.#parts.judge(connection, entry.isSurplus);
    if (judging === undefined) return;
    this.#running += 1;
    void judging
      .catch((error: unknown) => this.#retry(connection, entry, error))
      .finally(() => {
        this.#running -= 1;
        this.#slotFree?.();
        this.#slotFree = undefined;
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
      'overloaded: connections wait to be judged; decisions of admins and renewals come first',
    );
  }

  #logCaughtUp(): void {
    if (!this.#isLate || this.#waiting.size > 0 || this.#stopped) return;
    this.#isLate = false;
    this.#parts.logger.info({}, 'no longer overloaded: every connection has been judged');
  }
}

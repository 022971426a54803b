// A bounded queue that takes turns between callers.
import { REQUEST_TURN_MS } from '../../timing.js';

/** How many jobs of a caller run at a time, and how many may wait. */
export interface CallerLimits {
  runningPerCaller: number;
  waitingPerCaller: number;
}

/** How many jobs run at a time, and how many may wait. */
export interface FairQueueOptions extends CallerLimits {
  running: number;
  waiting: number;
}

/** The memory for a caller's waiting jobs, in bytes: many times the largest request. */
const MAX_WAITING_BYTES = 16 * 1024 * 1024;

interface Job {
  run: () => Promise<void>;
  bytes: number;
}

interface Caller {
  waiting: Job[];
  /** The memory for its waiting jobs. */
  bytes: number;
  running: number;
  limits: CallerLimits;
}

/**
 * Runs jobs round-robin: each free slot goes to the next caller. A caller with a thousand jobs delays another caller by
 * one job at most.
 */
export class FairQueue {
  readonly #options: FairQueueOptions;
  readonly #callers = new Map<string, Caller>();
  /** Callers with a waiting job and a free slot. */
  readonly #turns = new Set<string>();
  #running = 0;
  #waiting = 0;
  #idle: (() => void)[] = [];
  /** Milliseconds that jobs have used in this turn of the event loop. */
  #spent = 0;
  #nextTurn: NodeJS.Immediate | undefined;

  constructor(options: FairQueueOptions) {
    this.#options = options;
  }

  /**
   * Queues a job, which must not throw.
   *
   * @param more.bytes its memory while it waits
   * @param more.limits the limits of this caller; by default the queue's
   * @returns false if the queue is full
   */
  add(
    name: string,
    run: () => Promise<void>,
    { bytes = 0, limits = this.#options }: { bytes?: number; limits?: CallerLimits | undefined } = {},
  ): boolean {
    const caller = this.#callers.get(name) ?? { waiting: [], bytes: 0, running: 0, limits };
    if (this.#waiting >= this.#options.waiting || caller.waiting.length >= limits.waitingPerCaller)
      return false;
    if (caller.bytes + bytes > MAX_WAITING_BYTES) return false;
    this.#callers.set(name, caller);
    caller.waiting.push({ run, bytes });
    caller.bytes += bytes;
    this.#waiting += 1;
    this.#offer(name, caller);
    this.#start();
    return true;
  }

  /** Resolves when nothing runs or waits. */
  async idle(): Promise<void> {
    if (this.#running + this.#waiting === 0) return;
    await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  #offer(name: string, caller: Caller): void {
    if (caller.waiting.length > 0 && caller.running < caller.limits.runningPerCaller) this.#turns.add(name);
  }

  #start(): void {
    while (this.#running < this.#options.running) {
      if (this.#spent > REQUEST_TURN_MS) return;
      const next = this.#turns.values().next();
      if (next.done) return;
      const name = next.value;
      this.#turns.delete(name);
      const caller = this.#callers.get(name);
      const job = caller?.waiting.shift();
      if (caller === undefined || job === undefined) continue;
      this.#waiting -= 1;
      this.#running += 1;
      caller.bytes -= job.bytes;
      caller.running += 1;
      this.#offer(name, caller);
      const startedAt = performance.now();
      void this.#run(name, caller, job);
      this.#spent += performance.now() - startedAt;
      this.#nextTurn ??= setImmediate(() => {
        this.#nextTurn = undefined;
        this.#spent = 0;
        this.#start();
      });
    }
  }

  async #run(name: string, caller: Caller, { run }: Job): Promise<void> {
    await run();
    this.#running -= 1;
    caller.running -= 1;
    if (caller.running + caller.waiting.length === 0) this.#callers.delete(name);
    else this.#offer(name, caller);
    this.#start();
    if (this.#running + this.#waiting > 0) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }
}

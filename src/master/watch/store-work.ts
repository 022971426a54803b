// Work on connections that waits for JetStream: a bounded amount at a time, urgent work first, little during a storm.
import { Fifo } from '../../async/fifo.js';
import { ConnectRate } from './connect-rate.js';

/** The maximum amount of work at a time. Requests do not wait for it. */
const MAX_RUNNING = 64;
/** The maximum that is not urgent while a storm of connections arrives: each write takes time from all servers. */
const MAX_RUNNING_IN_STORM = 8;

/** Work on a judged connection. */
export interface StoreWork {
  /** Whether the connection may have to be refused. Other work records that a key has connected for the first time. */
  isUrgent: boolean;
  /** Rejects if JetStream does not answer. */
  run: () => Promise<void>;
}

/** Runs work in order: urgent work first. */
export class StoreWorkQueue {
  readonly #urgent = new Fifo<() => Promise<void>>();
  readonly #other = new Fifo<() => Promise<void>>();
  readonly #rate = new ConnectRate();
  readonly #onDone: () => void;
  #running = 0;
  #stopped = false;

  /** @param onDone called after each piece of work */
  constructor(onDone: () => void) {
    this.#onDone = onDone;
  }

  /** The amount of work that waits or runs. */
  get size(): number {
    return this.#urgent.size + this.#other.size + this.#running;
  }

  /** Notes that a connection has arrived. */
  arrived(): void {
    this.#rate.note(performance.now());
  }

  /** Adds work. Its `run` must not reject. */
  add({ isUrgent, run }: StoreWork): void {
    if (this.#stopped) return;
    (isUrgent ? this.#urgent : this.#other).add(run);
    this.#start();
  }

  /** Starts no further work. */
  stop(): void {
    this.#stopped = true;
    this.#urgent.clear();
    this.#other.clear();
  }

  #start(): void {
    for (let run = this.#next(); run !== undefined; run = this.#next()) {
      this.#running += 1;
      void run().finally(() => {
        this.#running -= 1;
        this.#onDone();
        this.#start();
      });
    }
  }

  #next(): (() => Promise<void>) | undefined {
    if (this.#running >= MAX_RUNNING) return undefined;
    const isBusy = this.#running >= MAX_RUNNING_IN_STORM && this.#rate.isStorm(performance.now());
    return this.#urgent.take() ?? (isBusy ? undefined : this.#other.take());
  }
}

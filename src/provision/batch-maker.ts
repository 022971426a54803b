// Issues batches of credentials, in this thread or in workers, and records them in the order of the IDs.
import { availableParallelism } from 'node:os';
import { timeClaims } from '../jwt/validity.js';
import { isForWorker } from './batch-schedule.js';
import { finisherOf } from './finish.js';
import { issueBatch, type PeelCredential } from './issue-batch.js';
import { jwtOptionsOf, planOf, type IssuePeelOptions } from './issue-options.js';
import type { BatchNote, DoneBatch, ProductKind, ProductOf, Results } from './product.js';
import { WorkerPool } from './worker-pool.js';

/** The product of `issueBatches`, and its callbacks. */
export interface BatchOptions<Kind extends ProductKind> extends IssuePeelOptions {
  product: ProductOf<Kind>;
  /** Records a batch. Awaited before the batch is used. Called in the order of the IDs. */
  note?: (batch: BatchNote) => Promise<void>;
}

type Finish<Kind extends ProductKind> = Awaited<ReturnType<typeof finisherOf<Kind>>>;

/** Issues the batches of one run. Starts worker threads on demand. */
export class BatchMaker<Kind extends ProductKind> {
  #workers: number;
  readonly #options: BatchOptions<Kind>;
  readonly #plan: ReturnType<typeof planOf>;
  readonly #finish: Finish<Kind>;
  readonly #now: () => number;
  #pool: WorkerPool | undefined;
  /** Resolves when the previous batch was recorded. */
  #turn: Promise<void> = Promise.resolve();

  private constructor(options: BatchOptions<Kind>, finish: Finish<Kind>) {
    this.#options = options;
    this.#plan = planOf(options);
    this.#finish = finish;
    this.#now = options.now ?? Date.now;
    this.#workers = options.workers ?? defaultWorkers();
  }

  /** @throws JwtError, KeyError of the options */
  static async open<Kind extends ProductKind>(options: BatchOptions<Kind>): Promise<BatchMaker<Kind>> {
    // reject bad options before an ID is read
    jwtOptionsOf(planOf(options), 'any', (options.now ?? Date.now)());
    return new BatchMaker(options, await finisherOf<Kind>(options.product));
  }

  /** Makes a batch. @param number from 1 @throws as `issueBatches` */
  make(number: number, peelIds: readonly string[]): Promise<DoneBatch<Kind>> {
    if (!isForWorker(number, this.#workers)) return this.#makeHere(peelIds);
    const { product } = this.#options;
    this.#pool ??= WorkerPool.start(this.#options, product, this.#workers);
    if (this.#pool !== undefined) return this.#makeInThread(this.#pool, peelIds);
    this.#workers = 0;
    return this.#makeHere(peelIds);
  }

  /** The number of worker threads; 0: none, or their program file is missing. */
  get workers(): number {
    return this.#workers;
  }

  async close(): Promise<void> {
    await this.#pool?.close();
  }

  async #makeHere(peelIds: readonly string[]): Promise<DoneBatch<Kind>> {
    const nowMs = this.#now();
    const made = issueBatch(peelIds, this.#options.signer, this.#plan, nowMs);
    try {
      const publicKeys = made.map(({ publicKey }) => publicKey);
      await this.#options.note?.(this.#noteOf(peelIds, publicKeys, nowMs));
    } catch (error) {
      wipeCredentials(made);
      throw error;
    }
    return { peelIds, result: await this.#finish(made), recycle: () => undefined };
  }

  async #makeInThread(pool: WorkerPool, peelIds: readonly string[]): Promise<DoneBatch<Kind>> {
    const nowMs = this.#now();
    const { note } = this.#options;
    const before = this.#turn;
    let passOn: () => void = () => undefined;
    this.#turn = new Promise((resolve) => (passOn = resolve));
    const noted = async (publicKeys: readonly string[]) => {
      await before;
      await note?.(this.#noteOf(peelIds, publicKeys, nowMs));
      passOn();
    };
    try {
      const result = await pool.issue(peelIds, nowMs, note && noted);
      return { peelIds, result: result as Results[Kind], recycle: (bytes) => pool.recycle(bytes) };
    } finally {
      passOn();
    }
  }

  #noteOf(peelIds: readonly string[], publicKeys: readonly string[], nowMs: number): BatchNote {
    const { iat, exp } = timeClaims({ ...this.#plan, now: () => nowMs });
    return { peelIds, publicKeys, issuer: this.#options.signer.publicKey, issuedAt: iat, expiresAt: exp };
  }
}

export function wipeCredentials(credentials: readonly PeelCredential[]): void {
  for (const { content } of credentials) content.fill(0);
}

/** One worker per core; none on a single core, where they would not help. */
function defaultWorkers(): number {
  const cores = availableParallelism();
  return cores > 1 ? cores : 0;
}

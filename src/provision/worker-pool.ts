// A pool of worker threads that issue credentials.
import { JwtError, type JwtErrorCode } from '../errors.js';
import { TaskThread } from './task-thread.js';
import { planOf, type IssuePeelOptions } from './issue-options.js';
import { threadProgram } from './start-thread.js';
import type { Product, ProductKind, Results } from './product.js';
import { fromWire, type Wire } from './wire.js';
import type { WorkerAnswer, WorkerStart, WorkerTask } from './worker.js';

/** Threads that issue credentials and make their product. Each processes its own queue, in order. */
export class WorkerPool {
  readonly #threads: TaskThread<WorkerTask, WorkerAnswer>[];
  readonly #spares: ArrayBuffer[] = [];
  #batches = 0;

  private constructor(threads: TaskThread<WorkerTask, WorkerAnswer>[]) {
    this.#threads = threads;
  }

  /**
   * @param size the number of threads, at least 1
   * @returns undefined if the program of the threads is not available, as in a bundle
   */
  static start(options: IssuePeelOptions, product: Product, size: number): WorkerPool | undefined {
    const program = threadProgram(import.meta.url, 'provision/worker-pool', 'worker');
    if (program === undefined) return undefined;
    return new WorkerPool(Array.from({ length: size }, () => issuingThread(program, options, product)));
  }

  get size(): number {
    return this.#threads.length;
  }

  /**
   * Gives a batch to the next thread (round-robin).
   *
   * @param noted called with the public keys, and awaited, before the credentials are used
   * @throws as `issueBatch`, the finisher of the product, and `noted`
   */
  async issue(
    ids: readonly string[],
    nowMs: number,
    noted?: (publicKeys: readonly string[]) => Promise<void>,
  ): Promise<Results[ProductKind]> {
    const batch = this.#batches++;
    const thread = this.#threads[batch % this.#threads.length] as TaskThread<WorkerTask, WorkerAnswer>;
    const spare = this.#spares.pop();
    const task = { batch, ids, nowMs, hold: noted !== undefined, spare };
    let answer = await answerOf(thread.ask(task, spare === undefined ? [] : [spare]));
    if ('publicKeys' in answer) {
      await noted?.(answer.publicKeys);
      answer = await answerOf(thread.ask({ batch, go: true }));
    }
    const { result, spare: free } = fromWire((answer as { done: Wire }).done);
    if (free !== undefined) this.#spares.push(free);
    return result;
  }

  /** Takes back the wiped buffer of a result, for a later batch. */
  recycle(bytes: Uint8Array): void {
    this.#spares.push(bytes.buffer as ArrayBuffer);
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.close()));
  }
}

const YOUNG_MIB = 6;

/** Starts a thread. A copy of the signer's seed is transferred to it; the signer keeps its own bytes. */
function issuingThread(
  program: URL,
  options: IssuePeelOptions,
  product: Product,
): TaskThread<WorkerTask, WorkerAnswer> {
  const seed = new Uint8Array(options.signer.seed);
  const data: WorkerStart = { seed, plan: planOf(options), product };
  return new TaskThread(program, {
    workerData: data,
    transferList: [seed.buffer],
    name: 'zester-issue',
    // a credential's garbage dies young: a larger young generation would only use more memory
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MIB },
  });
}

/** @throws the error of the thread */
async function answerOf(answer: Promise<WorkerAnswer>): Promise<Exclude<WorkerAnswer, { failed: unknown }>> {
  const given = await answer;
  if ('failed' in given) throw errorOf(given.failed);
  return given;
}

function errorOf({ code, message }: { code?: string; message: string }): Error {
  return code?.startsWith('ERR_JWT_') === true
    ? new JwtError(code as JwtErrorCode, message)
    : new Error(message);
}

import type { Worker } from 'node:worker_threads';
import { JwtError, type JwtErrorCode } from '../../errors.js';
import { planOf, type IssuePeelOptions } from './issue-options.js';
import type { Product, ProductKind, Results } from './product.js';
import { startThread } from './start-thread.js';
import { fromWire, type Wire } from './wire.js';
import type { WorkerAnswer, WorkerStart, WorkerTask } from './worker.js';

/** Threads that make credentials, and a product of them. Each works through its own queue, in order. */
export class WorkerPool {
  readonly #members: Member[];
  readonly #spares: ArrayBuffer[] = [];
  #batches = 0;

  /** @param size threads, at least 1 */
  constructor(options: IssuePeelOptions, product: Product, size: number) {
    this.#members = Array.from({ length: size }, () => new Member(options, product));
  }

  get size(): number {
    return this.#members.length;
  }

  /**
   * Gives a batch to the next thread.
   *
   * @param noted is called with the public keys, and waited for, before anything is done with the credentials
   * @throws as `issueBatch` and the finisher of the product, and what `noted` throws
   */
  async issue(
    ids: readonly string[],
    nowMs: number,
    noted?: (publicKeys: readonly string[]) => Promise<void>,
  ): Promise<Results[ProductKind]> {
    const batch = this.#batches++;
    const member = this.#members[batch % this.#members.length] as Member;
    const spare = this.#spares.pop();
    const task = { batch, ids, nowMs, hold: noted !== undefined, spare };
    let answer = await member.ask(task, spare === undefined ? [] : [spare]);
    if ('publicKeys' in answer) {
      await noted?.(answer.publicKeys);
      answer = await member.ask({ batch, go: true });
    }
    const { result, spare: free } = fromWire((answer as { done: Wire }).done);
    if (free !== undefined) this.#spares.push(free);
    return result;
  }

  /** Takes back the buffer of a result, wiped, for a later batch. */
  recycle(bytes: Uint8Array): void {
    this.#spares.push(bytes.buffer as ArrayBuffer);
  }

  async close(): Promise<void> {
    await Promise.all(this.#members.map((member) => member.close()));
  }
}

const YOUNG_MIB = 6;

interface Waiting {
  resolve: (answer: WorkerAnswer) => void;
  reject: (error: unknown) => void;
}

class Member {
  readonly #worker: Worker;
  /** By the number of the batch. */
  readonly #waiting = new Map<number, Waiting>();
  #broken: Error | undefined;

  constructor(options: IssuePeelOptions, product: Product) {
    // a copy, moved: the signer's own bytes stay where they are
    const seed = new Uint8Array(options.signer.seed);
    const data: WorkerStart = { seed, plan: planOf(options), product };
    this.#worker = startThread(new URL('./worker.js', import.meta.url), {
      workerData: data,
      transferList: [seed.buffer],
      name: 'zester-issue',
      // what a credential leaves behind dies young: more room for it would only be more memory
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MIB },
    });
    this.#worker.on('message', (answer: WorkerAnswer) => {
      const waiting = this.#waiting.get(answer.batch);
      this.#waiting.delete(answer.batch);
      if ('failed' in answer) waiting?.reject(errorOf(answer.failed));
      else waiting?.resolve(answer);
    });
    const end = (error: Error) => {
      this.#broken ??= error;
      for (const { reject } of this.#waiting.values()) reject(this.#broken);
      this.#waiting.clear();
    };
    this.#worker.on('error', end);
    this.#worker.on('exit', (code) => end(new Error(`a thread that issues credentials ended (${code})`)));
  }

  ask(task: WorkerTask, moved: ArrayBuffer[] = []): Promise<WorkerAnswer> {
    if (this.#broken !== undefined) return Promise.reject(this.#broken);
    return new Promise((resolve, reject) => {
      this.#waiting.set(task.batch, { resolve, reject });
      this.#worker.postMessage(task, moved);
    });
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }
}

function errorOf({ code, message }: { code?: string; message: string }): Error {
  return code?.startsWith('ERR_JWT_') === true
    ? new JwtError(code as JwtErrorCode, message)
    : new Error(message);
}

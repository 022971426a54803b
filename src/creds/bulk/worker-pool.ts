import { Worker, type WorkerOptions } from 'node:worker_threads';
import { JwtError, type JwtErrorCode } from '../../errors.js';
import type { PeelCredential } from './issue-batch.js';
import { planOf, type IssuePeelOptions } from './issue-options.js';
import type { WorkerAnswer, WorkerStart, WorkerTask } from './worker.js';

/** Threads that make credentials. Each works through its own queue, in order. */
export class WorkerPool {
  readonly #members: Member[];
  #next = 0;

  /** @param size threads, at least 1 */
  constructor(options: IssuePeelOptions, size: number) {
    this.#members = Array.from({ length: size }, () => new Member(options));
  }

  get size(): number {
    return this.#members.length;
  }

  /** Gives a batch to the next thread. @throws JwtError, PeelIdError as `issueBatch` */
  issue(ids: readonly string[], nowMs: number): Promise<PeelCredential[]> {
    const member = this.#members[this.#next++ % this.#members.length] as Member;
    return member.issue(ids, nowMs);
  }

  async close(): Promise<void> {
    await Promise.all(this.#members.map((member) => member.close()));
  }
}

interface Waiting {
  resolve: (made: PeelCredential[]) => void;
  reject: (error: unknown) => void;
}

class Member {
  readonly #worker: Worker;
  readonly #waiting: Waiting[] = [];
  #broken: Error | undefined;

  constructor(options: IssuePeelOptions) {
    // a copy, moved: the signer's own bytes stay where they are
    const { signer } = options;
    const seed = new Uint8Array(signer.seed);
    const data: WorkerStart = { seed, plan: planOf(options) };
    this.#worker = startWorker({ workerData: data, transferList: [seed.buffer], name: 'zester-issue' });
    this.#worker.on('message', (answer: WorkerAnswer) => {
      const waiting = this.#waiting.shift();
      if ('made' in answer) waiting?.resolve(answer.made);
      else waiting?.reject(errorOf(answer.failed));
    });
    const end = (error: Error) => {
      this.#broken ??= error;
      for (const { reject } of this.#waiting.splice(0)) reject(this.#broken);
    };
    this.#worker.on('error', end);
    this.#worker.on('exit', (code) => end(new Error(`a thread that issues credentials ended (${code})`)));
  }

  issue(ids: readonly string[], nowMs: number): Promise<PeelCredential[]> {
    if (this.#broken !== undefined) return Promise.reject(this.#broken);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#worker.postMessage({ ids, nowMs } satisfies WorkerTask);
    });
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }
}

/** The worker beside this file: compiled where this is; in a checkout it is the source, which tsx loads. */
function startWorker(options: WorkerOptions): Worker {
  if (!import.meta.url.endsWith('.ts')) return new Worker(new URL('./worker.js', import.meta.url), options);
  const source = new URL('./worker.ts', import.meta.url).href;
  const program = `import('tsx/esm/api').then(({ register }) => { register(); return import('${source}'); });`;
  return new Worker(program, { ...options, eval: true });
}

function errorOf({ code, message }: { code?: string; message: string }): Error {
  return code?.startsWith('ERR_JWT_') === true
    ? new JwtError(code as JwtErrorCode, message)
    : new Error(message);
}

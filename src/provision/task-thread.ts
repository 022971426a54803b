// A worker thread that answers requests.
import type { Worker, WorkerOptions } from 'node:worker_threads';
import { startThread } from './start-thread.js';

interface Waiting<Answer> {
  resolve: (answer: Answer) => void;
  reject: (error: unknown) => void;
}

/** A thread that answers each task; tasks and answers carry a batch number. */
export class TaskThread<Task extends { batch: number }, Answer extends { batch: number }> {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting<Answer>>();
  #broken: Error | undefined;

  /** @param program as {@link startThread} */
  constructor(program: URL, options: WorkerOptions & { name: string }) {
    this.#worker = startThread(program, options);
    this.#worker.on('message', (answer: Answer) => {
      const waiting = this.#waiting.get(answer.batch);
      this.#waiting.delete(answer.batch);
      waiting?.resolve(answer);
    });
    const end = (error: Error) => {
      this.#broken ??= error;
      for (const { reject } of this.#waiting.values()) reject(this.#broken);
      this.#waiting.clear();
    };
    this.#worker.on('error', end);
    this.#worker.on('exit', (code) => end(new Error(`the thread ${options.name} ended (${code})`)));
  }

  /** The number of unanswered tasks. */
  get pending(): number {
    return this.#waiting.size;
  }

  /**
   * Sends a task to the thread.
   *
   * @param moved buffers to transfer to the thread
   * @returns the thread's answer
   * @throws when the thread ends
   */
  ask(task: Task, moved: ArrayBuffer[] = []): Promise<Answer> {
    if (this.#broken !== undefined) return Promise.reject(this.#broken);
    return new Promise((resolve, reject) => {
      this.#waiting.set(task.batch, { resolve, reject });
      this.#worker.postMessage(task, moved);
    });
  }

  /** Terminates the thread, even in the middle of a task. */
  async close(): Promise<void> {
    await this.#worker.terminate();
  }
}

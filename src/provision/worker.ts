// The program of a worker thread that issues credentials.
import { parentPort, workerData } from 'node:worker_threads';
import { ZesterError } from '../errors.js';
import { loadKeyBundle } from '../nkeys/key-bundle.js';
import { finisherOf } from './finish.js';
import { issueBatch, type PeelCredential } from './issue-batch.js';
import type { IssuePlan } from './issue-options.js';
import type { Product } from './product.js';
import { toWire, type Wire } from './wire.js';

/** The start data of a worker; the seed is the worker's own copy. */
export interface WorkerStart {
  seed: Uint8Array;
  plan: IssuePlan;
  product: Product;
}

/** Requests to a worker. Batches are numbered. */
export type WorkerTask =
  /** Issue the credentials of a batch. With `hold`, wait for the second task; otherwise finish at once. */
  | { batch: number; ids: readonly string[]; nowMs: number; hold: boolean; spare: ArrayBuffer | undefined }
  /** Finish the held batch. */
  | { batch: number; go: true };

/** The answers of a worker. */
export type WorkerAnswer = { batch: number } & (
  | { publicKeys: readonly string[] }
  | { done: Wire }
  | { failed: { code?: string; message: string } }
);

interface Held {
  made: PeelCredential[];
  spare: ArrayBuffer | undefined;
}

if (parentPort !== null) {
  const port = parentPort;
  const { seed, plan, product } = workerData as WorkerStart;
  const signer = loadKeyBundle('account', seed);
  seed.fill(0);
  const finisher = finisherOf(product);
  const held = new Map<number, Held>();
  const answer = (message: WorkerAnswer, moved: ArrayBuffer[] = []) => port.postMessage(message, moved);

  const finish = async (batch: number, { made, spare }: Held) => {
    const { wire, moved } = toWire(await (await finisher)(made, spare), spare);
    answer({ batch, done: wire }, moved);
  };
  const work = async (task: WorkerTask) => {
    const { batch } = task;
    try {
      if ('go' in task) {
        const waiting = held.get(batch);
        held.delete(batch);
        if (waiting !== undefined) await finish(batch, waiting);
        return;
      }
      const { ids, nowMs, hold, spare } = task;
      const made = issueBatch(ids, signer, plan, nowMs);
      if (!hold) return await finish(batch, { made, spare });
      held.set(batch, { made, spare });
      answer({ batch, publicKeys: made.map(({ publicKey }) => publicKey) });
    } catch (error) {
      const { message } = error as Error;
      const code = error instanceof ZesterError ? error.code : undefined;
      answer({ batch, failed: { ...(code !== undefined && { code }), message } });
    }
  };
  // one after the other, so that a thread holds only one batch at a time
  let last: Promise<void> = Promise.resolve();
  port.on('message', (task: WorkerTask) => {
    last = last.then(() => work(task));
  });
}

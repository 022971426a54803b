import { parentPort, workerData } from 'node:worker_threads';
import { ZesterError } from '../../errors.js';
import { loadKeyBundle } from '../../nkeys/key-bundle.js';
import { issueBatch, type PeelCredential } from './issue-batch.js';
import type { IssuePlan } from './issue-options.js';

/** What a worker is started with; the seed is its own copy. */
export interface WorkerStart {
  seed: Uint8Array;
  plan: IssuePlan;
}

/** One batch to make. */
export interface WorkerTask {
  ids: readonly string[];
  nowMs: number;
}

/** What came of a batch. */
export type WorkerAnswer = { made: PeelCredential[] } | { failed: { code?: string; message: string } };

if (parentPort !== null) {
  const port = parentPort;
  const { seed, plan } = workerData as WorkerStart;
  const signer = loadKeyBundle('account', seed);
  seed.fill(0);
  port.on('message', ({ ids, nowMs }: WorkerTask) => {
    try {
      const made = issueBatch(ids, signer, plan, nowMs);
      // moved, not copied: no second copy of a seed stays in this thread
      const buffers = made.map(({ content }) => content.buffer as ArrayBuffer);
      port.postMessage({ made } satisfies WorkerAnswer, buffers);
    } catch (error) {
      const { message } = error as Error;
      const code = error instanceof ZesterError ? error.code : undefined;
      port.postMessage({ failed: { ...(code !== undefined && { code }), message } } satisfies WorkerAnswer);
    }
  });
}

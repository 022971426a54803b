// Decides where batches are issued, how many run at once, and the next step. No threads, no clock.

/** Batches issued in this thread before worker threads start. */
const BATCHES_WITHOUT_WORKERS = 3;
/** Batches in progress per worker: one running, one queued. */
const BATCHES_PER_WORKER = 2;

/**
 * Whether a worker issues this batch.
 *
 * @param batch the number of the batch, from 1
 */
export function isForWorker(batch: number, workers: number): boolean {
  return workers >= 1 && batch > BATCHES_WITHOUT_WORKERS;
}

/** The state of an issuing run. */
export interface Progress {
  /** Whether all IDs were read. */
  readAll: boolean;
  /** The number of started batches. */
  begun: number;
  /** Of these, the number not handed out yet. */
  underWay: number;
}

/**
 * The next step: `handOut` the oldest batch, `read` IDs for another batch, `either` (the first that is ready, since
 * IDs may arrive slowly, and finished batches should not wait for them), or `end`.
 *
 * @example nextStep({ readAll: false, begun: 0, underWay: 0 }, 2); // 'read'
 */
export function nextStep(
  { readAll, begun, underWay }: Progress,
  workers: number,
): 'handOut' | 'read' | 'either' | 'end' {
  if (readAll) return underWay > 0 ? 'handOut' : 'end';
  const most = isForWorker(begun, workers) ? workers * BATCHES_PER_WORKER : 1;
  if (underWay >= most) return 'handOut';
  return underWay > 0 ? 'either' : 'read';
}

// Decides where batches are made, how many at once, and what comes next. No threads, no clock.

/** Batches made in this thread before worker threads start. */
const BATCHES_WITHOUT_WORKERS = 3;
/** Batches in progress per worker: one that it makes, and one that waits. */
const BATCHES_PER_WORKER = 2;

/** Whether a worker makes this batch. @param batch its number, from 1 */
export function isForWorker(batch: number, workers: number): boolean {
  return workers >= 1 && batch > BATCHES_WITHOUT_WORKERS;
}

/** The state of an issuing run. */
export interface Progress {
  /** Whether all IDs were read. */
  readAll: boolean;
  /** Batches started. */
  begun: number;
  /** Of those, the batches not handed out yet. */
  underWay: number;
}

/**
 * The next step: `handOut` the oldest batch, `read` IDs for another one, `either` (whichever is ready first, since
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

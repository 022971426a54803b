// Decides where batches are made, how many at once, and what comes next. No threads, no clock.

/** Batches that are made in this thread before others are started. */
const BATCHES_WITHOUT_WORKERS = 3;
/** Batches under way for each worker: one that it makes, one that waits for it. */
const BATCHES_PER_WORKER = 2;

/** Whether a batch is made by a worker. @param batch its number, from 1 */
export function isForWorker(batch: number, workers: number): boolean {
  return workers >= 1 && batch > BATCHES_WITHOUT_WORKERS;
}

/** How far issuing is. */
export interface Progress {
  /** Whether all ids were read. */
  readAll: boolean;
  /** Batches that were begun. */
  begun: number;
  /** Those among them that were not handed out. */
  underWay: number;
}

/**
 * What comes next: `handOut` the oldest batch, `read` ids for another, `either`, whichever is there first, since ids may be
 * slow to come and what is made by then is not kept back; or the `end`.
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

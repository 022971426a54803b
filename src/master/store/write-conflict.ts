// Recognizes a failed compare-and-set.
import { JetStreamApiError } from '@nats-io/jetstream';

/** JetStream's codes for a write that names a revision which is not the last one; from 2.11 on it may be either. */
const WRONG_LAST_SEQUENCE: ReadonlySet<number> = new Set([10_071, 10_164]);

/** Whether a compare-and-set failed because of a concurrent write. */
export function isWriteConflict(error: unknown): boolean {
  return error instanceof JetStreamApiError && WRONG_LAST_SEQUENCE.has(error.code);
}

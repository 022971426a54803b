import { JetStreamApiError } from '@nats-io/jetstream';

/** JetStream's code for a write that names a revision which is not the last one. */
const WRONG_LAST_SEQUENCE = 10_071;

/** Whether a compare-and-set was refused because somebody else wrote in between. */
export function isWriteConflict(error: unknown): boolean {
  return error instanceof JetStreamApiError && error.code === WRONG_LAST_SEQUENCE;
}

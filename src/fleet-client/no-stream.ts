// Recognizes the error for a stream that does not exist.
import { JetStreamApiError } from '@nats-io/jetstream';

/** JetStream's codes for an unknown stream, and for an account without JetStream. */
const NO_STREAM: readonly number[] = [10_059, 10_039];

/** Whether a request failed because no master has created the stream yet, or because the account has no JetStream. */
export function isNoStream(error: unknown): boolean {
  return error instanceof JetStreamApiError && NO_STREAM.includes(error.code);
}

// The interface of a sink.
import type { PeelCredential } from '../issue-batch.js';

/** A destination for credentials, one by one. */
export interface CredentialSink {
  /** The maximum number of concurrent deliveries. */
  readonly concurrency: number;
  /**
   * Delivers one credential. Once this resolves, the credential survives a crash, if the sink is durable.
   *
   * @throws BulkError `ERR_BULK_DELIVERY` when only this delivery failed; any other error stops the run
   */
  deliver(credential: PeelCredential): Promise<void>;
  /** Called after the last delivery: flushes the rest. */
  finish?(): Promise<void>;
  /** Called instead of `finish` when the run stops early. */
  abort?(): Promise<void>;
}

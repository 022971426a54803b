// The interface of a sink.
import type { PeelCredential } from '../issue-batch.js';

/** A place that credentials go to, one by one. */
export interface CredentialSink {
  /** How many it takes at once. */
  readonly concurrency: number;
  /**
   * Takes one; what it resolves for is delivered, and will be there after a crash where the sink can promise that.
   *
   * @throws BulkError `ERR_BULK_DELIVERY` when this one could not be delivered and others can; any other error ends all
   */
  deliver(credential: PeelCredential): Promise<void>;
  /** All are delivered: what is left to write is written. */
  finish?(): Promise<void>;
  /** The work ends before its end. */
  abort?(): Promise<void>;
}

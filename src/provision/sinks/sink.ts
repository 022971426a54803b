// The interface of a sink.
import type { PeelCredential } from '../issue-batch.js';

/** A destination for credentials, one by one. */
export interface CredentialSink {
  /** How many it accepts at once. */
  readonly concurrency: number;
  /**
   * Delivers one. Once it resolves, the credential survives a crash, if the sink can promise that.
   *
   * @throws BulkError `ERR_BULK_DELIVERY` when this one could not be delivered and others can; any other error ends all
   */
  deliver(credential: PeelCredential): Promise<void>;
  /** All are delivered: writes what is left. */
  finish?(): Promise<void>;
  /** The work ends early. */
  abort?(): Promise<void>;
}

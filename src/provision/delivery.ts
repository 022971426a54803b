// The interface between issuing and a sink.
import type { BulkError } from '../errors.js';
import type { DoneBatch, ProductKind, ProductOf } from './product.js';

/** Issues credentials for IDs, like `issueBatches`, with its own signing key. */
export type Issuer = <Kind extends ProductKind>(
  ids: AsyncIterable<string>,
  product: ProductOf<Kind>,
) => AsyncIterable<DoneBatch<Kind>>;

/** The callbacks of a delivery. */
export interface DeliveryEvents {
  /** These were delivered. Awaited before more deliveries start. */
  delivered(peelIds: readonly string[]): Promise<void>;
  /** One delivery failed; the others continue. */
  failed(peelId: string, error: BulkError): void;
}

/** Delivers credentials to their destination. */
export interface Delivery {
  /**
   * Whether the peel's complete credential already exists, so that `--resume` skips it.
   *
   * @throws BulkError `ERR_BULK_DELIVERY` when something else is at its path
   */
  has?(peelId: string): Promise<boolean>;
  /**
   * Issues and delivers credentials for the IDs. A credential reported as delivered survives a crash, if the
   * destination is durable.
   *
   * @throws fatal errors, such as a full disk or a closed pipe, once deliveries in progress have ended
   */
  run(issue: Issuer, ids: AsyncIterable<string>, events: DeliveryEvents): Promise<void>;
  /** Called after the last delivery: flushes the rest. */
  finish?(): Promise<void>;
  /** Called instead of `finish` when the run stops early, also after an error. */
  abort?(): Promise<void>;
}

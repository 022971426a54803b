// The interface between issuing and a sink.
import type { BulkError } from '../errors.js';
import type { DoneBatch, ProductKind, ProductOf } from './product.js';

/** Issues for IDs, as `issueBatches` does, with a key that it holds. */
export type Issuer = <Kind extends ProductKind>(
  ids: AsyncIterable<string>,
  product: ProductOf<Kind>,
) => AsyncIterable<DoneBatch<Kind>>;

/** The callbacks of a delivery. */
export interface DeliveryEvents {
  /** Delivered. Awaited before more are started. */
  delivered(peelIds: readonly string[]): Promise<void>;
  /** One failed; the others continue. */
  failed(peelId: string, error: BulkError): void;
}

/** How credentials reach their destination. */
export interface Delivery {
  /**
   * Whether the peel's credential already exists completely, so that `--resume` skips it.
   *
   * @throws BulkError `ERR_BULK_DELIVERY` when something else is at its path
   */
  has?(peelId: string): Promise<boolean>;
  /**
   * Issues for the IDs and delivers. What it reports as delivered survives a crash, if the destination can promise
   * that.
   *
   * @throws what ends it all: a full disk, a reader that left. What was under way is ended first.
   */
  run(issue: Issuer, ids: AsyncIterable<string>, events: DeliveryEvents): Promise<void>;
  /** All are delivered: writes what is left. */
  finish?(): Promise<void>;
  /** The work ends early; also called after an error. */
  abort?(): Promise<void>;
}

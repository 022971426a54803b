// The interface between issuing and a sink.
import type { BulkError } from '../errors.js';
import type { DoneBatch, ProductKind, ProductOf } from './product.js';

/** Issues for ids, as `issueBatches` does, with a key that it knows. */
export type Issuer = <Kind extends ProductKind>(
  ids: AsyncIterable<string>,
  product: ProductOf<Kind>,
) => AsyncIterable<DoneBatch<Kind>>;

/** The events of a delivery. */
export interface DeliveryEvents {
  /** These are where they were to go. What it resolves for comes before others are taken in their place. */
  delivered(peelIds: readonly string[]): Promise<void>;
  /** One is not; the others continue. */
  failed(peelId: string, error: BulkError): void;
}

/** How credentials get to where they are to go. */
export interface Delivery {
  /**
   * Whether the peel's credential already exists, whole: what `--resume` passes over.
   *
   * @throws BulkError `ERR_BULK_DELIVERY` when something else is at its path
   */
  has?(peelId: string): Promise<boolean>;
  /**
   * Issues for the ids and delivers. What it says was delivered will be there after a crash, where that can be promised.
   *
   * @throws what ends it all: a full disk, a reader that left. What was under way is ended first.
   */
  run(issue: Issuer, ids: AsyncIterable<string>, events: DeliveryEvents): Promise<void>;
  /** All are delivered: what is left to write is written. */
  finish?(): Promise<void>;
  /** The work ends before its end; called after an error too. */
  abort?(): Promise<void>;
}

// The products that a worker makes from credentials.
import type { PeelCredential } from './issue-batch.js';

/**
 * The form in which a thread returns its credentials. The thread does as much of the work as possible, so that threads
 * exchange only a few buffers.
 */
export type Product =
  /** The credentials themselves. */
  | { kind: 'credentials' }
  /** The bytes of documents, one per credential. */
  | { kind: 'documents'; format: 'ndjson' }
  | { kind: 'documents'; format: 'kubernetes'; namespace?: string }
  /** The contents of files, one per credential; encrypted, if there are recipients. */
  | { kind: 'files'; ageRecipients?: readonly string[] };

export type ProductKind = Product['kind'];
export type ProductOf<Kind extends ProductKind> = Extract<Product, { kind: Kind }>;

/** The result of a batch, by kind of product. */
export interface Results {
  credentials: PeelCredential[];
  /** Wiped when the next batch is requested. */
  documents: Uint8Array;
  /** The caller owns, wipes and recycles them. */
  files: PackedFiles;
}

/** Files, with their contents concatenated in one buffer. */
export interface PackedFiles {
  names: readonly string[];
  lengths: readonly number[];
  bytes: Uint8Array;
}

/** A finished batch. */
export interface DoneBatch<Kind extends ProductKind> {
  peelIds: readonly string[];
  result: Results[Kind];
  /** Takes back the wiped bytes of packed files, for a later batch. */
  recycle(bytes: Uint8Array): void;
}

/** The facts to record about a batch before it leaves its thread. */
export interface BatchNote {
  peelIds: readonly string[];
  /** `U…`, in the same order. */
  publicKeys: readonly string[];
  /** The signing key (`A…`). */
  issuer: string;
  /** Seconds since 1970. */
  issuedAt: number;
  /** Seconds since 1970; undefined: never. */
  expiresAt: number | undefined;
}

// The products that a worker makes of credentials.
import type { PeelCredential } from './issue-batch.js';

/**
 * What the thread that made credentials makes of them. All that can be done there is done there: threads give each other
 * bytes, and few of them.
 */
export type Product =
  /** The credentials themselves. */
  | { kind: 'credentials' }
  /** The bytes of documents, one for each. */
  | { kind: 'documents'; format: 'ndjson' }
  | { kind: 'documents'; format: 'kubernetes'; namespace?: string }
  /** The contents of files, one for each; encrypted, where there are recipients. */
  | { kind: 'files'; ageRecipients?: readonly string[] };

export type ProductKind = Product['kind'];
export type ProductOf<Kind extends ProductKind> = Extract<Product, { kind: Kind }>;

/** What comes of a batch, by the kind of the product. */
export interface Results {
  credentials: PeelCredential[];
  /** They are wiped when the next batch is requested. */
  documents: Uint8Array;
  /** They are the caller's, to wipe and to give back. */
  files: PackedFiles;
}

/** Files with their contents one after the other in one buffer. */
export interface PackedFiles {
  names: readonly string[];
  lengths: readonly number[];
  bytes: Uint8Array;
}

/** A batch that is done. */
export interface DoneBatch<Kind extends ProductKind> {
  peelIds: readonly string[];
  result: Results[Kind];
  /** Takes back the bytes of packed files, wiped, for a later batch. */
  recycle(bytes: Uint8Array): void;
}

/** What to record about a batch before any of it leaves the thread that made it. */
export interface BatchNote {
  peelIds: readonly string[];
  /** `U…`, in the same order. */
  publicKeys: readonly string[];
  /** The key that signed them (`A…`). */
  issuer: string;
  /** Seconds since 1970. */
  issuedAt: number;
  /** Seconds since 1970; undefined: never. */
  expiresAt: number | undefined;
}

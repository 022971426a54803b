// Decides when a server is low on JetStream storage.

/** The file storage of one server's JetStream. */
export interface ServerStorage {
  server: string;
  usedBytes: number;
  /** Its limit; 0 or less: unknown. */
  maxBytes: number;
}

/** Less free storage than this, in bytes, may not last a busy fleet's audit log for a day. */
const LOW_BYTES = 16 * 1024 * 1024;
/** The fraction of the limit that is used. */
const LOW_SHARE = 0.8;

/**
 * The finding about a server whose storage is nearly full.
 *
 * @returns undefined if there is room, or the limit is unknown
 * @example lowStorage({ server: 'n1', usedBytes: 0, maxBytes: 1e9 }); // undefined
 */
export function lowStorage({ usedBytes, maxBytes }: ServerStorage): string | undefined {
  if (maxBytes <= 0) return undefined;
  const left = Math.max(0, maxBytes - usedBytes);
  if (left >= LOW_BYTES && usedBytes < LOW_SHARE * maxBytes) return undefined;
  return (
    `JetStream has ${megabytes(left)} of file storage left, of ${megabytes(maxBytes)}: when it is full, peels are neither added ` +
    'nor renewed, and nothing is audited'
  );
}

/** How to fix it. */
export const LOW_STORAGE_FIX = "raise the server's max_file_store, or free space";

function megabytes(bytes: number): string {
  return `${(bytes / 1_000_000).toLocaleString('en', { maximumFractionDigits: 1 })} MB`;
}

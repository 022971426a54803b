// The entries of a backup: their names, their formats and their limits.
import * as v from 'valibot';
import { BackupError } from '../errors.js';

/** The format that this version writes, and the newest that it reads. */
export const BACKUP_VERSION = 1;

/** The first entry: whose backup it is. */
export const HEADER_ENTRY = 'backup.json';
/** The last entry: what the others add up to, signed by the master's user. A backup without it was cut off. */
export const END_ENTRY = 'end.json';
/** The account JWTs that the servers held. */
export const ACCOUNTS_ENTRY = 'accounts.ndjson';
/** The files of the home are below it. */
export const HOME_PREFIX = 'home/';

/** What is stored as many lines, in entries of a few megabytes: `peels/000001.ndjson` and so on. */
export const LINE_FOLDERS = ['peels', 'tokens', 'audit'] as const;
export type LineFolder = (typeof LINE_FOLDERS)[number];

/** A larger entry is not read: what is not ours must not fill the memory. */
export const MAX_ENTRY_BYTES = 256 * 1024 * 1024;
/** An entry of lines is closed when it has this many bytes. */
export const LINES_ENTRY_BYTES = 4 * 1024 * 1024;

const party = v.object({ name: v.string(), publicKey: v.string() });

export const headerSchema = v.object({
  format: v.literal('zester-backup'),
  version: v.number(),
  /** ISO 8601. */
  createdAt: v.string(),
  /** The version of Zester that made it. */
  zester: v.string(),
  operator: party,
  account: party,
  /** ISO 8601: the retention of the audit log had deleted what was before; absent: nothing. */
  auditTrimmedBefore: v.optional(v.string()),
});

/** Whose backup it is. */
export type BackupHeader = v.InferOutput<typeof headerSchema>;

export const summarySchema = v.object({
  files: v.number(),
  accounts: v.number(),
  peels: v.number(),
  tokens: v.number(),
  events: v.number(),
  /** SHA-256 over the names, sizes and contents of all entries before the last, as hexadecimal digits. */
  sha256: v.string(),
});

/** How much a backup has of everything. */
export type BackupSummary = v.InferOutput<typeof summarySchema>;

export const endSchema = v.object({
  /** A {@link BackupSummary} as JSON text, exactly as it was signed. */
  summary: v.string(),
  /** The JWT of the user that signed it. */
  jwt: v.string(),
  /** base64url. */
  signature: v.string(),
});

/** What the user of the master signs. */
export function signedSummary(summary: string): Uint8Array {
  return Buffer.from(`zester-backup-${BACKUP_VERSION}\n${summary}`);
}

/** A value of a bucket: its key, and its value as it was stored. */
export const valueLineSchema = v.object({ key: v.string(), value: v.string() });
/** A message of the audit: its ID, its subject, and its data as it was stored. */
export const eventLineSchema = v.object({ id: v.string(), subject: v.string(), data: v.string() });

/**
 * Whether a path below {@link HOME_PREFIX} may be written into a home: plain names, a few levels deep, and nothing that
 * belongs to a running server or to the lock.
 */
export function isHomePath(path: string): boolean {
  const parts = path.split('/');
  if (parts.length > 6 || parts.some((part) => !/^[\w@+,=.-]{1,200}$/.test(part) || /^\.{1,2}$/.test(part)))
    return false;
  return !isLeftOut(path);
}

/** Below a home while a restore is under way: what is there is not complete. */
export const RESTORE_STAGE = '.restoring';

/** What a backup leaves out of a home: the lock, what is being written, and all that a nats-server keeps. */
export function isLeftOut(path: string): boolean {
  const [first = ''] = path.split('/');
  return (
    first === 'lock' || first === 'nats-server' || first === RESTORE_STAGE || path.includes('.zester-tmp-')
  );
}

/** A file that is not a backup, or a damaged one. */
export function damagedBackup(path: string, why: string, cause?: unknown): BackupError {
  return new BackupError(
    'ERR_BACKUP_DAMAGED',
    path,
    `${path} cannot be restored: ${why}; use another copy of the backup`,
    { cause },
  );
}

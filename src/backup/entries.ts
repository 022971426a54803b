// The entries of a backup: their names, their formats and their limits.
import * as v from 'valibot';
import { BackupError } from '../errors.js';
import { API_TOKENS_FILE } from '../trust/paths.js';

/** The format version that is written, and the newest that can be read. */
export const BACKUP_VERSION = 1;

/** The first entry: identifies the backup. */
export const HEADER_ENTRY = 'backup.json';
/** The last entry: the digest of the others, signed by the master's user. A backup without it is truncated. */
export const END_ENTRY = 'end.json';
/** The account JWTs of the servers. */
export const ACCOUNTS_ENTRY = 'accounts.ndjson';
/** The prefix of the home's files. */
export const HOME_PREFIX = 'home/';

/** Items stored as lines, in entries of a few megabytes: `peels/000001.ndjson` and so on. */
export const LINE_FOLDERS = ['peels', 'tokens', 'audit'] as const;
export type LineFolder = (typeof LINE_FOLDERS)[number];

/** Larger entries are refused: a foreign file must not exhaust memory. */
export const MAX_ENTRY_BYTES = 256 * 1024 * 1024;
/** Size at which an entry of lines is closed, in bytes. */
export const LINES_ENTRY_BYTES = 4 * 1024 * 1024;

const party = v.object({ name: v.string(), publicKey: v.string() });

export const headerSchema = v.object({
  format: v.literal('zester-backup'),
  version: v.number(),
  /** ISO 8601. */
  createdAt: v.string(),
  /** The version of Zester that created it. */
  zester: v.string(),
  operator: party,
  account: party,
  /** ISO 8601: the retention of the audit log had deleted earlier events; absent: none. */
  auditTrimmedBefore: v.optional(v.string()),
});

/** The identity of a backup. */
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

/** The number of items of each kind in a backup. */
export type BackupSummary = v.InferOutput<typeof summarySchema>;

export const endSchema = v.object({
  /** A {@link BackupSummary} as JSON text, exactly as it was signed. */
  summary: v.string(),
  /** The JWT of the signing user. */
  jwt: v.string(),
  /** base64url. */
  signature: v.string(),
});

/** The text that the master's user signs. */
export function signedSummary(summary: string): Uint8Array {
  return Buffer.from(`zester-backup-${BACKUP_VERSION}\n${summary}`);
}

/** A value of a bucket: its key, and its stored value. */
export const valueLineSchema = v.object({ key: v.string(), value: v.string() });
/** A message of the audit log: its ID, its subject, and its stored data. */
export const eventLineSchema = v.object({ id: v.string(), subject: v.string(), data: v.string() });

/**
 * Whether a path below {@link HOME_PREFIX} may be written into a home: plain names, a few levels deep, excluding files
 * of a running server and the lock.
 */
export function isHomePath(path: string): boolean {
  const parts = path.split('/');
  if (parts.length > 6 || parts.some((part) => !/^[\w@+,=.-]{1,200}$/.test(part) || /^\.{1,2}$/.test(part)))
    return false;
  return !isOfRunning(path);
}

/** The staging directory of a restore; its content is incomplete. */
export const RESTORE_STAGE = '.restoring';

/**
 * Files that a backup skips and a restore does not write: those of running commands and servers, and the tokens of the
 * HTTP interface, since a restore would revive a token removed after the backup.
 */
export function isLeftOut(path: string): boolean {
  return path === API_TOKENS_FILE || isOfRunning(path);
}

/** The lock, temporary files, and all files of a nats-server. */
function isOfRunning(path: string): boolean {
  const [first = ''] = path.split('/');
  return (
    first === 'lock' || first === 'nats-server' || first === RESTORE_STAGE || path.includes('.zester-tmp-')
  );
}

/** The error for a file that is not a backup, or is damaged. */
export function damagedBackup(path: string, why: string, cause?: unknown): BackupError {
  return new BackupError(
    'ERR_BACKUP_DAMAGED',
    path,
    `${path} cannot be restored: ${why}; use another copy of the backup`,
    { cause },
  );
}

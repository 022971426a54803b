// The lock of a home.
import { randomBytes } from 'node:crypto';
import { linkSync, lstatSync, mkdirSync, readdirSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { FileError, TrustError } from '../errors.js';
import { notRegular } from '../files/open-file.js';
import { readTextFile } from '../files/read-small-file.js';
import { systemReason } from '../files/system-reason.js';
import { isSameProcess, processIdentity, type ProcessIdentity } from '../files/process-identity.js';
import { HOME_LOCK_POLL_MS, HOME_LOCK_TIMEOUT_MS } from '../timing.js';

/** The options of {@link withHomeLock}. */
export interface HomeLockOptions {
  /** How long to wait for another command, in milliseconds; 10,000 by default. 0: do not wait. */
  waitMs?: number;
  /** Called once, when the wait for another holder begins. */
  onWait?: (holder: LockHolder) => void;
}

/** The holder of a home's lock. */
export interface LockHolder extends ProcessIdentity {
  host: string;
  /** The operation in progress, such as `zester revoke`. */
  what: string;
  /** ISO 8601. */
  since: string;
}

/**
 * Runs `fn` while holding the home's lock, which excludes other commands, in this process and others. Takes over the
 * lock of a process that died. Not reentrant: `fn` must not lock the same home again.
 *
 * The lock is a series of numbered files in `lock/`. The highest number counts: its file names the holder, or is marked
 * as released. A process takes the lock by creating the next number, which only one process can do. So two processes
 * that find the same dead holder cannot both take over, as they could if they deleted a stale file first.
 *
 * Taking it is synchronous, a millisecond in all: it has twenty steps, and each would wait for a turn of the event loop
 * of a busy master, whose revocations need the lock.
 *
 * @param home the home; it must exist
 * @param what the operation, for the errors of others
 * @throws TrustError `ERR_TRUST_LOCKED` when another process holds it for longer than `waitMs`; FileError when the home
 *   cannot be written; errors of `fn`
 */
export async function withHomeLock<T>(
  home: string,
  what: string,
  fn: () => Promise<T>,
  options: HomeLockOptions = {},
): Promise<T> {
  const directory = join(resolve(home), 'lock');
  const ticket = await acquire(home, directory, what, options);
  try {
    return await fn();
  } finally {
    release(directory, ticket);
  }
}

/** The content of a ticket: its holder, or null once it is released. */
type Ticket = LockHolder | null;

async function acquire(
  home: string,
  directory: string,
  what: string,
  options: HomeLockOptions,
): Promise<number> {
  inHome(directory, () => makeDirectory(directory));
  const deadline = Date.now() + (options.waitMs ?? HOME_LOCK_TIMEOUT_MS);
  let reported = false;
  for (;;) {
    const last = numbers(directory).at(-1) ?? 0;
    const ticket = last === 0 ? null : await readTicket(directory, last);
    if (ticket === undefined) {
      refuseDangling(join(directory, String(last)));
      continue; // a later ticket exists, and this one was cleaned up
    }
    if (ticket === null || isDead(ticket)) {
      if (take(directory, last + 1, what)) return last + 1;
      continue;
    }
    if (Date.now() >= deadline) throw locked(home, directory, last, ticket);
    if (!reported) options.onWait?.(ticket);
    reported = true;
    await delay(HOME_LOCK_POLL_MS);
  }
}

function makeDirectory(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/** Atomically creates a complete ticket, unless another process has created this or a later one. */
function take(directory: string, number: number, what: string): boolean {
  const holder: LockHolder = {
    ...processIdentity(),
    host: hostname(),
    what,
    since: new Date().toISOString(),
  };
  const temporary = writeTemporary(directory, holder);
  try {
    linkSync(temporary, join(directory, String(number)));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw cannotWrite(directory, cause);
  } finally {
    removeIfThere(temporary);
  }
  const all = numbers(directory);
  if (all.at(-1) !== number) {
    // others have taken higher numbers in the meantime
    removeIfThere(join(directory, String(number)));
    return false;
  }
  // the previous ticket stays, so that a concurrent reader of the directory finds one of the two
  for (const old of all) {
    if (old < number - 1) removeIfThere(join(directory, String(old)));
  }
  removeTemporaries(directory);
  return true;
}

function release(directory: string, number: number): void {
  try {
    renameSync(writeTemporary(directory, null), join(directory, String(number)));
  } catch {
    // on a full disk: without this ticket, the next process sees the previous, released one
    removeIfThere(join(directory, String(number)));
  }
}

function writeTemporary(directory: string, ticket: Ticket): string {
  const path = join(directory, `.${process.pid}-${randomBytes(6).toString('hex')}`);
  try {
    inHome(directory, () => writeFileSync(path, JSON.stringify(ticket), { flag: 'wx', mode: 0o600 }));
  } catch (error) {
    // a full disk leaves an empty file
    removeIfThere(path);
    throw error;
  }
  return path;
}

/** Removes temporary files of processes that died between the write and the link. */
function removeTemporaries(directory: string): void {
  for (const name of readdirSync(directory)) {
    const pid = /^\.(\d+)-[0-9a-f]{12}$/.exec(name)?.[1];
    if (pid === undefined || Number(pid) === process.pid) continue;
    if (!isSameProcess({ pid: Number(pid) })) removeIfThere(join(directory, name));
  }
}

function removeIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // another process has removed it
  }
}

function numbers(directory: string): number[] {
  return inHome(directory, () => readdirSync(directory))
    .filter((name) => /^\d{1,15}$/.test(name))
    .map(Number)
    .sort((a, b) => a - b);
}

const MAX_TICKET_BYTES = 64 * 1024;

/** undefined: the ticket no longer exists. An unreadable ticket counts as released. */
async function readTicket(directory: string, number: number): Promise<Ticket | undefined> {
  const text = await readTextFile(join(directory, String(number)), MAX_TICKET_BYTES);
  if (text === undefined) return undefined;
  try {
    const ticket = JSON.parse(text) as Partial<LockHolder> | null;
    return typeof ticket?.pid === 'number' ? (ticket as LockHolder) : null;
  } catch {
    return null;
  }
}

/** Refuses a dangling link: it exists but cannot be read, so `acquire` would retry forever. @throws FileError */
function refuseDangling(path: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found?.isSymbolicLink() === true) throw notRegular(path, 'a symbolic link to nothing');
}

/** Processes of another host or container cannot be checked, so they count as alive; the error says what to delete. */
function isDead(holder: LockHolder): boolean {
  return holder.host === hostname() && !isSameProcess(holder);
}

function locked(home: string, directory: string, number: number, holder: LockHolder): TrustError {
  const elsewhere = holder.host !== hostname();
  const where = elsewhere ? ` on the host ${holder.host}` : '';
  return new TrustError(
    'ERR_TRUST_LOCKED',
    home,
    `${home} is in use by "${holder.what}" (process ${holder.pid}${where}, since ${holder.since}): try again later` +
      (elsewhere ? `; if that host is gone, delete ${join(directory, String(number))}` : ''),
  );
}

function inHome<T>(directory: string, act: () => T): T {
  try {
    return act();
  } catch (cause) {
    throw cannotWrite(directory, cause);
  }
}

function cannotWrite(directory: string, cause: unknown): FileError {
  const { code } = cause as NodeJS.ErrnoException;
  const why = { EPERM: 'no permission', ENOENT: 'the home does not exist' }[code ?? ''];
  return new FileError(
    'ERR_FILE_WRITE',
    directory,
    `cannot lock the home in ${directory}: ${why ?? systemReason(code)}; nothing was changed`,
    { cause },
  );
}

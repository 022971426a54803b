// Reads a small file, with limits on size and time.
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { FileError } from '../errors.js';
import { bytesAs } from '../text/bytes-as.js';
import { openDescriptor, READ_FLAGS, requireReadable, type ReadableFile } from './open-file.js';
import { readError } from './read-error.js';
import { PIPE_POLL_MS, PIPE_READ_TIMEOUT_MS } from '../timing.js';

const FIRST_BYTES = 16 * 1024;

/**
 * Reads a small file completely, and of a large one only enough to detect its size. It never hangs: it reads only
 * regular files, and pipes that the shell opened (`/dev/stdin`, `<(…)`), with a timeout of 30 seconds.
 *
 * Only opening is asynchronous, since it may wait for a network. The rest takes microseconds, and would otherwise wait
 * for four turns of a busy event loop.
 *
 * @param maxBytes the size limit; one byte more is read, so that the caller can detect a larger file
 * @param accepts further requirements on the file
 * @throws FileError `ERR_FILE_NOT_FOUND`, `ERR_FILE_IS_DIRECTORY`, `ERR_FILE_NOT_REGULAR`, `ERR_FILE_READ`
 */
export async function readSmallFile(
  path: string,
  maxBytes: number,
  accepts: ReadableFile = { pipe: true },
): Promise<Uint8Array> {
  let fd: number | undefined;
  try {
    fd = await openDescriptor(path, READ_FLAGS);
    const reading = readOpen(fd, path, maxBytes, accepts);
    const deadline = Date.now() + PIPE_READ_TIMEOUT_MS;
    for (;;) {
      const { value } = reading.next();
      if (value !== undefined) return value;
      if (Date.now() > deadline) {
        const why = `it did not end within ${PIPE_READ_TIMEOUT_MS / 1000} s`;
        throw new FileError('ERR_FILE_READ', path, `cannot read ${path}: ${why}`);
      }
      await delay(PIPE_POLL_MS);
    }
  } catch (cause) {
    throw readError(path, cause);
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/**
 * The same for a regular file, synchronously.
 *
 * @throws FileError as {@link readSmallFile}
 */
export function readSmallFileSync(path: string, maxBytes: number): Uint8Array {
  let fd: number | undefined;
  try {
    fd = openSync(path, READ_FLAGS);
    // it never waits: only a pipe may have no data yet
    return readOpen(fd, path, maxBytes, {}).next().value as Uint8Array;
  } catch (cause) {
    throw readError(path, cause);
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** Reads an open file; yields while a pipe has no data yet. */
function* readOpen(
  fd: number,
  path: string,
  maxBytes: number,
  accepts: ReadableFile,
): Generator<undefined, Uint8Array> {
  const stats = fstatSync(fd);
  requireReadable(path, stats, accepts);
  const most = maxBytes + 1;
  let buffer = new Uint8Array(Math.min(most, Math.max(FIRST_BYTES, stats.isFile() ? stats.size + 1 : 0)));
  let length = 0;
  while (length < most) {
    if (length === buffer.length) buffer = grown(buffer, most);
    const read = readSome(fd, buffer, length);
    if (read === 0) break;
    if (read === undefined) yield;
    else length += read;
  }
  const content = buffer.slice(0, length);
  buffer.fill(0);
  return content;
}

/**
 * Reads a complete text file.
 *
 * @param maxBytes larger files are refused
 * @returns undefined if it does not exist
 * @throws FileError as {@link readSmallFile}
 */
export async function readTextFile(path: string, maxBytes: number): Promise<string | undefined> {
  let content: Uint8Array;
  try {
    content = await readSmallFile(path, maxBytes);
  } catch (error) {
    if (error instanceof FileError && error.code === 'ERR_FILE_NOT_FOUND') return undefined;
    throw error;
  }
  if (content.length > maxBytes) {
    throw new FileError(
      'ERR_FILE_READ',
      path,
      `cannot read ${path}: it has more than ${maxBytes} bytes, too many for this kind of file`,
    );
  }
  return bytesAs('utf8', content);
}

/** @returns the number of bytes; 0: end of file; undefined: no data yet, in a pipe */
function readSome(fd: number, buffer: Uint8Array, at: number): number | undefined {
  try {
    return readSync(fd, buffer, at, buffer.length - at, null);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return undefined;
    throw error;
  }
}

function grown(buffer: Uint8Array<ArrayBuffer>, most: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(Math.min(most, buffer.length * 2));
  larger.set(buffer);
  buffer.fill(0); // it may contain a secret
  return larger;
}

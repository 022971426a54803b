// A log file that rotates at a size limit.
import { rename, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { openToAppend } from './open-file.js';

/** A file of this size, in bytes, is renamed to `<path>.1`, replacing an older one. */
export const MAX_LOG_BYTES = 1024 * 1024;
/** Bytes of lines that wait for a slow disk; further lines are dropped. */
const MAX_WAITING_BYTES = 256 * 1024;
const MAX_LINE_CHARS = 4_096;

/**
 * A size-limited log in a file of mode 0600: at most two files of {@link MAX_LOG_BYTES} plus waiting lines. Writing
 * never throws and never waits; lines that the disk does not accept are dropped.
 */
export class BoundedLog {
  readonly path: string;
  readonly #maxBytes: number;
  #file: FileHandle | undefined;
  #size: number;
  #waiting: string[] = [];
  #waitingBytes = 0;
  #dropped = 0;
  #writing: Promise<void> | undefined;

  private constructor(path: string, file: FileHandle, size: number, maxBytes: number) {
    this.path = path;
    this.#file = file;
    this.#size = size;
    this.#maxBytes = maxBytes;
  }

  /**
   * @param maxBytes the size at which the file is rotated
   * @throws as `openToAppend`
   */
  static async open(path: string, maxBytes = MAX_LOG_BYTES): Promise<BoundedLog> {
    const file = await openToAppend(path);
    return new BoundedLog(path, file, (await file.stat()).size, maxBytes);
  }

  /** Adds a line. */
  write(line: string): void {
    const text = `${line.slice(0, MAX_LINE_CHARS)}\n`;
    const bytes = Buffer.byteLength(text);
    if (this.#waitingBytes + bytes > MAX_WAITING_BYTES) {
      this.#dropped += 1;
      return;
    }
    this.#waiting.push(text);
    this.#waitingBytes += bytes;
    this.#writing ??= this.#drain().finally(() => (this.#writing = undefined));
  }

  /** Waits until all added lines are written or failed. */
  async flush(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
  }

  async close(): Promise<void> {
    await this.flush();
    await this.#file?.close().catch(() => undefined);
    this.#file = undefined;
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      const lines = this.#waiting;
      if (this.#dropped > 0) lines.push(`(${this.#dropped} lines dropped: the disk was too slow)\n`);
      this.#waiting = [];
      this.#waitingBytes = 0;
      this.#dropped = 0;
      try {
        await this.#append(lines.join(''));
      } catch {
        // a full disk must not stop the server that writes this log
      }
    }
  }

  async #append(text: string): Promise<void> {
    if (this.#size > 0 && this.#size + Buffer.byteLength(text) > this.#maxBytes) await this.#rotate();
    this.#file ??= await openToAppend(this.path);
    await this.#file.appendFile(text);
    this.#size += Buffer.byteLength(text);
  }

  async #rotate(): Promise<void> {
    await this.#file?.close();
    this.#file = undefined;
    await rename(this.path, `${this.path}.1`);
    this.#file = await openToAppend(this.path);
    this.#size = (await stat(this.path)).size;
  }
}

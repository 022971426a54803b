// Writes a backup: a tar archive, encrypted with age as it is written.
import { createHash } from 'node:crypto';
import { ReadableStream } from 'node:stream/web';
import { pack } from 'tar-stream';
import type { KeyBundle } from '../nkeys/key-bundle.js';
import { encrypterFor } from '../provision/sinks/encrypter.js';
import { fileTarget, type ByteTarget } from '../files/byte-target.js';
import {
  ACCOUNTS_ENTRY,
  END_ENTRY,
  HEADER_ENTRY,
  HOME_PREFIX,
  LINES_ENTRY_BYTES,
  signedSummary,
  type BackupHeader,
  type BackupSummary,
  type LineFolder,
} from './entries.js';

/**
 * Writes a backup, entry by entry. The file appears at its path once it is complete and synced. Memory: one entry.
 *
 * @example
 * const archive = await ArchiveWriter.open('fleet.age', ['age1…'], header);
 * await archive.file('zester.json', content);
 * await archive.finish(signer);
 */
export class ArchiveWriter {
  readonly #pack = pack();
  readonly #target: ByteTarget;
  readonly #written: Promise<void>;
  readonly #digest = createHash('sha256');
  readonly #mtime: Date;
  readonly #counts = { files: 0, accounts: 0, peels: 0, tokens: 0, events: 0 };
  #lines: { folder: LineFolder; chunks: Buffer[]; size: number } | undefined;
  #numbers = new Map<LineFolder, number>();

  private constructor(
    target: ByteTarget,
    encrypted: (plain: ReadableStream<Uint8Array>) => Promise<ReadableStream<Uint8Array>>,
    at: Date,
  ) {
    this.#target = target;
    this.#mtime = at;
    // failures are awaited below
    this.#pack.on('error', () => undefined);
    this.#written = (async () => {
      for await (const chunk of await encrypted(ReadableStream.from(this.#pack as AsyncIterable<Uint8Array>)))
        await target.write(chunk);
    })();
    this.#written.catch((error: Error) => this.#pack.destroy(error));
  }

  /**
   * Starts a backup.
   *
   * @param recipients `age1…`, at least one
   * @throws UsageError for an invalid recipient; FileError
   */
  static async open(
    path: string,
    recipients: readonly string[],
    header: BackupHeader,
  ): Promise<ArchiveWriter> {
    const encrypter = encrypterFor(recipients);
    const encrypted = async (plain: ReadableStream<Uint8Array>) =>
      (await encrypter.encrypt(plain as never)) as unknown as ReadableStream<Uint8Array>;
    const archive = new ArchiveWriter(await fileTarget(path), encrypted, new Date(header.createdAt));
    await archive.#entry(HEADER_ENTRY, Buffer.from(JSON.stringify(header)));
    return archive;
  }

  /** Adds a file of the home. @param path relative to the home */
  async file(path: string, content: Uint8Array): Promise<void> {
    this.#counts.files += 1;
    await this.#entry(`${HOME_PREFIX}${path}`, content);
  }

  /** Adds the account JWTs of the servers. */
  async accounts(jwts: readonly string[]): Promise<void> {
    this.#counts.accounts += jwts.length;
    await this.#entry(
      ACCOUNTS_ENTRY,
      Buffer.from(jwts.map((jwt) => `${JSON.stringify({ jwt })}\n`).join('')),
    );
  }

  /** Adds a stored value of a bucket. */
  async value(folder: 'peels' | 'tokens', key: string, value: string): Promise<void> {
    this.#counts[folder] += 1;
    await this.#line(folder, JSON.stringify({ key, value }));
  }

  /** Adds a stored message of the audit log. */
  async event(id: string, subject: string, data: string): Promise<void> {
    this.#counts.events += 1;
    await this.#line('audit', JSON.stringify({ id, subject, data }));
  }

  /**
   * Signs the content, and resolves when the file is complete, durable and at its path.
   *
   * @param signer the master's user, and its JWT
   * @throws FileError
   */
  async finish(signer: { key: KeyBundle; jwt: string }): Promise<BackupSummary> {
    await this.#closeLines();
    const result: BackupSummary = { ...this.#counts, sha256: this.#digest.digest('hex') };
    const summary = JSON.stringify(result);
    const signature = Buffer.from(signer.key.sign(signedSummary(summary))).toString('base64url');
    await this.#put(END_ENTRY, Buffer.from(JSON.stringify({ summary, jwt: signer.jwt, signature })));
    this.#pack.finalize();
    await this.#written;
    await this.#target.finish();
    return result;
  }

  /** Removes the unfinished file. */
  async abort(): Promise<void> {
    this.#pack.destroy();
    await this.#written.catch(() => undefined);
    await this.#target.abort();
  }

  async #line(folder: LineFolder, line: string): Promise<void> {
    if (this.#lines !== undefined && this.#lines.folder !== folder) await this.#closeLines();
    this.#lines ??= { folder, chunks: [], size: 0 };
    const bytes = Buffer.from(`${line}\n`);
    this.#lines.chunks.push(bytes);
    this.#lines.size += bytes.length;
    if (this.#lines.size >= LINES_ENTRY_BYTES) await this.#closeLines();
  }

  async #closeLines(): Promise<void> {
    if (this.#lines === undefined) return;
    const { folder, chunks } = this.#lines;
    this.#lines = undefined;
    const number = (this.#numbers.get(folder) ?? 0) + 1;
    this.#numbers.set(folder, number);
    await this.#entry(`${folder}/${String(number).padStart(6, '0')}.ndjson`, Buffer.concat(chunks));
  }

  async #entry(name: string, content: Uint8Array): Promise<void> {
    await this.#closeLines();
    addToDigest(this.#digest, name, content);
    await this.#put(name, content);
  }

  async #put(name: string, content: Uint8Array): Promise<void> {
    const header = { name, mode: 0o600, mtime: this.#mtime, size: content.length };
    // the archive keeps its input until it is written
    const packed = new Promise<void>((resolve, reject) => {
      this.#pack.entry(header, Buffer.from(content), (error) => {
        if (error) reject(error);
        else resolve();
      });
    });
    await Promise.race([packed, this.#written]);
  }
}

/** Adds an entry to the digest of a backup. */
export function addToDigest(
  digest: { update(data: string | Uint8Array): unknown },
  name: string,
  content: Uint8Array,
): void {
  digest.update(`${name}\n${content.length}\n`);
  digest.update(content);
}

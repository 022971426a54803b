// Reads a backup: decrypts it, checks each entry, and yields its content, piece by piece.
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { extract } from 'tar-stream';
import * as v from 'valibot';
import { BackupError } from '../errors.js';
import { openToRead } from '../files/open-file.js';
import { decodeUserJwt } from '../jwt/decode.js';
import type { UserClaims } from '../jwt/claims.js';
import { verifySignature } from '../nkeys/verify.js';
import { AUDIT_SUBJECTS } from '../permissions/names.js';
import type { AuditEvent, NewerChange } from '../protocol/records/audit-event.js';
import { tokenSchema, type JoinToken } from '../protocol/records/join-token.js';
import { parseAnyEvent } from '../protocol/records/parse-event.js';
import { storedRecordSchema, type StoredRecord } from '../protocol/records/stored-record.js';
import { decryptWith } from './age-identities.js';
import {
  ACCOUNTS_ENTRY,
  BACKUP_VERSION,
  damagedBackup,
  END_ENTRY,
  endSchema,
  eventLineSchema,
  HEADER_ENTRY,
  headerSchema,
  HOME_PREFIX,
  isHomePath,
  MAX_ENTRY_BYTES,
  signedSummary,
  summarySchema,
  valueLineSchema,
  type BackupHeader,
  type BackupSummary,
} from './entries.js';
import { addToDigest } from './write-archive.js';

/** The header of an age file, and what is read ahead: much more than any has. */
const MAX_HEADER_BYTES = 8 * 1024 * 1024;

/** One piece of a backup, in file order. Records, tokens and events have their stored text. */
export type BackupPiece =
  | { is: 'header'; header: BackupHeader }
  | { is: 'file'; path: string; content: Uint8Array }
  | { is: 'account'; jwt: string }
  | { is: 'peel'; peelId: string; stored: StoredRecord; text: string }
  | { is: 'token'; token: JoinToken; text: string }
  /** `event`: undefined if only a newer version knows its kind. */
  | { is: 'event'; id: string; subject: string; text: string; event: AuditEvent | NewerChange | undefined }
  /** The backup is complete, unchanged, and signed by this user. */
  | { is: 'end'; summary: BackupSummary; signer: UserClaims };

/**
 * Reads a backup to its end. The file may be damaged beyond the pieces read so far: read it once to check it, and again
 * to use it. Memory: one entry, at most 256 MiB.
 *
 * @param identities from `readIdentities`
 * @param onBytes called with the number of bytes read so far, and the file size
 * @param onEntry called with the digest of each entry before it is used; throws to refuse it
 * @throws BackupError `ERR_BACKUP_DAMAGED`, `ERR_BACKUP_IDENTITY`, `ERR_BACKUP_VERSION`; FileError
 */
export async function* readBackup(
  path: string,
  identities: readonly string[],
  onBytes: (read: number, size: number) => void = () => undefined,
  onEntry: (digest: string) => void = () => undefined,
): AsyncGenerator<BackupPiece, void, undefined> {
  const { file, stats } = await openToRead(path, {});
  try {
    const plain = await decrypted(path, file.createReadStream({ autoClose: false }), identities, (read) =>
      onBytes(read, stats.size),
    );
    const archive = extract();
    plain.on('error', (error) => archive.destroy(error));
    plain.pipe(archive);
    const reading = new EntryReader(path);
    try {
      for await (const entry of archive) {
        const { name, size = 0, type } = entry.header;
        if (type !== 'file') throw damagedBackup(path, 'it has an entry that is not a file');
        if (size > MAX_ENTRY_BYTES) throw damagedBackup(path, 'one of its entries is too large');
        const chunks: Buffer[] = [];
        for await (const chunk of entry) chunks.push(chunk as Buffer);
        const content = Buffer.concat(chunks);
        onEntry(digestOf(name, content));
        yield* reading.entry(name, content);
      }
    } catch (cause) {
      if (cause instanceof BackupError) throw cause;
      throw damagedBackup(path, 'it is cut off or was changed', cause);
    } finally {
      plain.destroy();
      archive.destroy();
    }
    reading.finish();
  } finally {
    await file.close();
  }
}

function digestOf(name: string, content: Buffer): string {
  const digest = createHash('sha256');
  addToDigest(digest, name, content);
  return digest.digest('base64url');
}

async function decrypted(
  path: string,
  source: Readable,
  identities: readonly string[],
  onRead: (bytes: number) => void,
): Promise<Readable> {
  let read = 0;
  let isOpen = false;
  const counted = async function* () {
    for await (const chunk of source) {
      read += (chunk as Buffer).length;
      // the header is kept in memory until it ends
      if (!isOpen && read > MAX_HEADER_BYTES) throw new Error('the header is too large');
      onRead(read);
      yield chunk as Buffer;
    }
  };
  try {
    return await decryptWith(
      path,
      identities,
      async (decrypter) => {
        const plain = await decrypter.decrypt(Readable.toWeb(Readable.from(counted())) as never);
        isOpen = true;
        return Readable.fromWeb(plain as never);
      },
      (cause) => damagedBackup(path, 'it is not an age-encrypted file', cause),
    );
  } catch (error) {
    source.destroy();
    throw error;
  }
}

const AUDIT_SUBJECT = new RegExp(
  `^${AUDIT_SUBJECTS.slice(0, -1).replaceAll('.', '\\.')}[\\w-]+(\\.[\\w-]+)+$`,
);
/** Checks the entries of a backup, in order. */
class EntryReader {
  readonly #path: string;
  readonly #digest = createHash('sha256');
  readonly #names = new Set<string>();
  readonly #counts = { files: 0, accounts: 0, peels: 0, tokens: 0, events: 0 };
  #isComplete = false;

  constructor(path: string) {
    this.#path = path;
  }

  *entry(name: string, content: Buffer): Generator<BackupPiece> {
    if (this.#isComplete || this.#names.has(name)) throw this.#bad('it has an entry too many');
    if ((this.#names.size === 0) !== (name === HEADER_ENTRY)) throw this.#bad('it is not a Zester backup');
    this.#names.add(name);
    if (name === END_ENTRY) {
      this.#isComplete = true;
      return yield this.#end(content);
    }
    addToDigest(this.#digest, name, content);
    if (name === HEADER_ENTRY) return yield this.#header(content);
    if (name.startsWith(HOME_PREFIX)) return yield this.#file(name.slice(HOME_PREFIX.length), content);
    const [, folder] = /^(peels|tokens|audit)\/\d{6}\.ndjson$/.exec(name) ?? [];
    if (name !== ACCOUNTS_ENTRY && folder === undefined)
      throw this.#bad('it has an entry of an unknown name');
    for (const line of linesOf(content)) {
      if (folder === undefined) yield this.#account(line);
      else if (folder === 'audit') yield this.#event(line);
      else yield folder === 'peels' ? this.#peel(line) : this.#token(line);
    }
  }

  /** @throws BackupError `ERR_BACKUP_DAMAGED` if the last entry is missing */
  finish(): void {
    if (!this.#isComplete) throw this.#bad('it is cut off');
  }

  #header(content: Buffer): BackupPiece {
    const json = this.#json(content.toString('utf8'));
    const { version } = (json ?? {}) as { version?: unknown };
    if (typeof version === 'number' && version > BACKUP_VERSION)
      throw new BackupError(
        'ERR_BACKUP_VERSION',
        this.#path,
        `${this.#path} was made by a newer zester (format ${version}, this one knows ${BACKUP_VERSION}): install that version`,
      );
    return { is: 'header', header: this.#parsed(headerSchema, json, 'its header') };
  }

  #file(path: string, content: Buffer): BackupPiece {
    if (!isHomePath(path)) throw this.#bad('it has a file at a place where a home has none');
    this.#counts.files += 1;
    return { is: 'file', path, content };
  }

  #account(line: string): BackupPiece {
    const { jwt } = this.#parsed(v.object({ jwt: v.string() }), this.#json(line), 'an account JWT');
    this.#counts.accounts += 1;
    return { is: 'account', jwt };
  }

  #peel(line: string): BackupPiece {
    const { key, value } = this.#parsed(valueLineSchema, this.#json(line), 'a record');
    const stored = this.#parsed(storedRecordSchema, this.#json(value), 'a record') as unknown as StoredRecord;
    const { record, event } = stored;
    if (record.id !== key || event.peelId !== key || event.number !== record.number)
      throw this.#bad('a record does not fit its key or its event');
    this.#counts.peels += 1;
    return { is: 'peel', peelId: key, stored, text: value };
  }

  #token(line: string): BackupPiece {
    const { key, value } = this.#parsed(valueLineSchema, this.#json(line), 'a join token');
    const token = this.#parsed(tokenSchema, this.#json(value), 'a join token');
    if (token.id !== key) throw this.#bad('a join token does not fit its key');
    this.#counts.tokens += 1;
    return { is: 'token', token, text: value };
  }

  #event(line: string): BackupPiece {
    const { id, subject, data } = this.#parsed(eventLineSchema, this.#json(line), 'an audit event');
    if (!AUDIT_SUBJECT.test(subject) || !/^[\w-]{1,64}$/.test(id))
      throw this.#bad('an audit event has no place in an audit log');
    this.#json(data);
    this.#counts.events += 1;
    const event = parseAnyEvent(Buffer.from(data));
    return { is: 'event', id, subject, text: data, event };
  }

  #end(content: Buffer): BackupPiece {
    const end = this.#parsed(endSchema, this.#json(content.toString('utf8')), 'its last entry');
    const summary = this.#parsed(summarySchema, this.#json(end.summary), 'its last entry');
    const { sha256, ...counts } = summary;
    if (sha256 !== this.#digest.digest('hex') || JSON.stringify(counts) !== JSON.stringify(this.#counts))
      throw this.#bad('its contents do not match its checksum');
    let signer: UserClaims;
    try {
      signer = decodeUserJwt(end.jwt);
    } catch (cause) {
      throw this.#bad('the JWT that signed it cannot be used', cause);
    }
    if (!verifySignature(signer.sub, signedSummary(end.summary), Buffer.from(end.signature, 'base64url')))
      throw this.#bad('its signature is wrong');
    return { is: 'end', summary, signer };
  }

  #json(text: string): unknown {
    try {
      return JSON.parse(text);
    } catch (cause) {
      throw this.#bad('it has an entry that is not JSON', cause);
    }
  }

  #parsed<T>(schema: v.GenericSchema<unknown, T>, value: unknown, what: string): T {
    const parsed = v.safeParse(schema, value);
    if (parsed.success) return parsed.output;
    const [issue] = parsed.issues;
    throw this.#bad(
      `${what} cannot be read (at "${v.getDotPath(issue) ?? ''}"), or it was made by a newer zester`,
    );
  }

  #bad(why: string, cause?: unknown): BackupError {
    return damagedBackup(this.#path, why, cause);
  }
}

function* linesOf(content: Buffer): Generator<string> {
  for (let at = 0; at < content.length;) {
    const end = content.indexOf(0x0a, at);
    const stop = end === -1 ? content.length : end;
    yield content.toString('utf8', at, stop);
    at = stop + 1;
  }
}

// Credentials that reload from their file; the last good ones stay in use.
import { expiryTime } from '../jwt/expiry.js';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { CredsError, ZesterError } from '../errors.js';
import { READ_FLAGS, requireRegular } from '../files/open-file.js';
import { readError } from '../files/read-error.js';
import type { CredentialEvent } from './credential-event.js';
import type { CredsFile } from './creds-file.js';
import { decodeCreds, MAX_CREDS_BYTES } from './decode-creds.js';
import { isoTime } from '../jwt/time.js';

/** How a {@link FileCredentialSource} is set up. */
export interface FileCredentialSourceOptions {
  /** Credentials already loaded from the file; the fallback until a newer one is read. */
  initial?: CredsFile;
  /** The name that the JWT must have: the peel's id. Another peel's file is then not used. */
  expectedName?: string;
  /** Without `expectedName`: hold on to the name of the first good credentials. Another peel's file is then not used. */
  keepName?: boolean;
  /** Called with each event. It must not throw; if it does, that is ignored. */
  onEvent?: (event: CredentialEvent) => void;
  now?: () => number;
}

/** What a look at the file found. */
export type RefreshResult = 'unchanged' | 'changed' | 'rejected';

/**
 * The credentials of a `.creds` file, read whole and once at each connect, so that JWT and seed always match
 * (docs/nats-facts.md, 4). It never throws, since an authenticator that throws closes the connection permanently
 * (docs/nats-facts.md, 3): when the file is missing, torn, not valid, expired or another peel's, the last good
 * credentials stay in use and an event says why.
 */
export class FileCredentialSource {
  readonly path: string;
  readonly #options: FileCredentialSourceOptions;
  #current: CredsFile | undefined;
  /** What `#current` was read from: the same bytes need no second look. */
  #currentBytes: Buffer | undefined;
  /** The last reported rejection, so that a watcher does not report it again. */
  #told: string | undefined;
  /** The JWT whose expiry was reported. */
  #expired: string | undefined;

  constructor(path: string, options: FileCredentialSourceOptions = {}) {
    this.path = path;
    this.#options = options;
    this.#current = options.initial;
  }

  /** The last good credentials. */
  get current(): CredsFile | undefined {
    return this.#current;
  }

  /** For `connect()`: reads the file, signs the nonce. Without any good credentials it sends none, and the server refuses. */
  readonly authenticator = (nonce?: string): { jwt: string; nkey: string; sig: string } | undefined => {
    this.#told = undefined;
    this.refresh();
    this.reportExpiry();
    try {
      return this.#current?.authenticate(nonce);
    } catch (error) {
      // only wiped credentials come here: the owner of the initial ones took them back
      this.#reject(error);
      return undefined;
    }
  };

  /**
   * Reads the file once, and uses its content if it is valid. A problem is reported once for each connect,
   * and then again when it is another thing.
   */
  refresh(): RefreshResult {
    let bytes: Buffer | undefined;
    try {
      bytes = readWhole(this.path);
      if (this.#currentBytes?.equals(bytes) === true && this.#current?.wiped === false) {
        this.#told = undefined;
        return 'unchanged';
      }
      const creds = decodeCredsOfFile(bytes, this.path);
      if (creds.jwt === this.#current?.jwt) {
        // the same credential in other bytes, or the initial one, which its owner may have wiped since
        if (this.#current.wiped) this.#current = creds;
        this.#currentBytes = bytes;
        return 'unchanged';
      }
      this.#checkUsable(creds);
      this.#currentBytes?.fill(0);
      this.#currentBytes = bytes;
      this.#take(creds);
      return 'changed';
    } catch (error) {
      bytes?.fill(0);
      this.#reject(error);
      return 'rejected';
    }
  }

  /**
   * Takes credentials that the file does not hold, because they could not be written: for as long as the file stays as it
   * is.
   *
   * @throws CredsError `ERR_CREDS_OTHER_PEEL`, `ERR_CREDS_EXPIRED`
   */
  hold(creds: CredsFile): void {
    this.#checkUsable(creds);
    try {
      this.#currentBytes = readWhole(this.path);
    } catch {
      this.#currentBytes = undefined;
    }
    this.#take(creds);
  }

  /** Emits an event, once, if the credential in use has expired. */
  reportExpiry(): void {
    const current = this.#current;
    if (current === undefined || current.jwt === this.#expired || !current.isExpired(this.#options.now))
      return;
    this.#expired = current.jwt;
    const expiredAt = expiryTime(current.claims) ?? 0;
    this.#emit({ type: 'credentialsExpired', path: this.path, publicKey: current.publicKey, expiredAt });
  }

  #take(creds: CredsFile): void {
    this.#current = creds;
    this.#emit({
      type: 'credentialsLoaded',
      path: this.path,
      publicKey: creds.publicKey,
      name: creds.claims.name,
      expiresAt: expiryTime(creds.claims),
    });
  }

  #checkUsable(creds: CredsFile): void {
    const { keepName, now } = this.#options;
    const expectedName =
      this.#options.expectedName ?? (keepName === true ? this.#current?.claims.name : undefined);
    checkUsable(creds, expectedName, now);
  }

  #reject(error: unknown): void {
    const known =
      error instanceof ZesterError
        ? error
        : new CredsError('ERR_CREDS_FORMAT', this.path, `${this.path} cannot be used`, { cause: error });
    if (this.#told === known.message) return;
    this.#told = known.message;
    this.#emit({
      type: 'credentialsRejected',
      path: this.path,
      error: known,
      inUse: this.#current?.publicKey,
    });
  }

  #emit(event: CredentialEvent): void {
    try {
      this.#options.onEvent?.(event);
    } catch {
      // a listener's error must not reach the client, which would close the connection permanently
    }
  }
}

/**
 * Decodes what was read from a `.creds` file. Connections that use the result read the file again at each connect.
 *
 * @throws CredsError
 * @internal
 */
export function decodeCredsOfFile(content: Uint8Array, path: string): CredsFile {
  return decodeCreds(
    content,
    path,
    (creds) => new FileCredentialSource(path, { initial: creds }).authenticator,
  );
}

/**
 * Checks that credentials are those of the one they are for, and in their time.
 *
 * @param expectedName the name that the JWT must have; undefined: any
 * @throws CredsError `ERR_CREDS_OTHER_PEEL`, `ERR_CREDS_EXPIRED`
 */
export function checkUsable(
  creds: CredsFile,
  expectedName: string | undefined,
  now: (() => number) | undefined,
): void {
  if (expectedName !== undefined && creds.claims.name !== expectedName) {
    throw new CredsError(
      'ERR_CREDS_OTHER_PEEL',
      creds.path,
      `${creds.path} holds the credentials of "${creds.claims.name ?? ''}", but those of "${expectedName}" are needed`,
    );
  }
  if (creds.isExpired(now)) throw expired(creds);
}

/** The error for credentials whose time is over. */
export function expired(creds: CredsFile): CredsError {
  const at = isoTime(creds.claims.exp ?? 0);
  return new CredsError(
    'ERR_CREDS_EXPIRED',
    creds.path,
    `the credentials of "${creds.claims.name ?? ''}" in ${creds.path} expired at ${at}: issue new ones`,
  );
}

/** Reads at most one byte more than a `.creds` file may have. Authenticators are synchronous, so this is too. */
function readWhole(path: string): Buffer {
  let fd: number | undefined;
  try {
    fd = openSync(path, READ_FLAGS);
    // it is read again at each connect, so a pipe that the shell opened will not do either
    requireRegular(path, fstatSync(fd));
    const buffer = Buffer.alloc(MAX_CREDS_BYTES + 1);
    let length = 0;
    for (;;) {
      const read = readSync(fd, buffer, length, buffer.length - length, null);
      length += read;
      if (read === 0 || length === buffer.length) break;
    }
    const content = Buffer.alloc(length);
    buffer.copy(content, 0, 0, length);
    buffer.fill(0, 0, length);
    return content;
  } catch (cause) {
    throw readError(path, cause);
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

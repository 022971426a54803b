// Credentials that reload from their file; the last good ones stay in use.
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { READ_FLAGS, requireRegular } from '../files/open-file.js';
import { readError } from '../files/read-error.js';
import { CredentialHolder, type RefreshResult } from './credential-holder.js';
import type { CredsFile } from './creds-file.js';
import { decodeCreds, MAX_CREDS_BYTES } from './decode-creds.js';

/**
 * The credentials of a `.creds` file, which each connect reads once and as a whole, so that JWT and seed always match
 * (docs/nats-facts.md, 4). It never throws, since an authenticator that throws closes the connection permanently
 * (docs/nats-facts.md, 3): if the file is missing, torn, invalid, expired or another peel's, the last good credentials
 * stay in use, and an event reports the reason.
 */
export class FileCredentialSource extends CredentialHolder {
  /** The bytes of `current`: they need no second check. */
  #currentBytes: Buffer | undefined;

  /**
   * For `connect()`: reads the file and signs the nonce. Without good credentials, the server refuses the connection.
   */
  readonly authenticator = (nonce?: string): { jwt: string; nkey: string; sig: string } | undefined => {
    this.forgetRejection();
    this.refresh();
    this.reportExpiry();
    return this.authenticate(nonce);
  };

  /**
   * Reads the file once, and uses its content if it is valid. Reports a problem once per connect, and again when the
   * problem changes.
   */
  refresh(): RefreshResult {
    let bytes: Buffer | undefined;
    try {
      bytes = readWhole(this.path);
      if (this.#currentBytes?.equals(bytes) === true && this.current?.wiped === false) {
        this.forgetRejection();
        return 'unchanged';
      }
      const creds = decodeCredsOfFile(bytes, this.path);
      if (creds.jwt === this.current?.jwt) {
        // same credential, different bytes; or the initial one, which its owner may have wiped
        if (this.current.wiped) this.replace(creds);
        this.#currentBytes = bytes;
        return 'unchanged';
      }
      this.checkUsable(creds);
      this.#currentBytes?.fill(0);
      this.#currentBytes = bytes;
      this.adopt(creds);
      return 'changed';
    } catch (error) {
      bytes?.fill(0);
      this.reject(error);
      return 'rejected';
    }
  }

  /**
   * Uses credentials that could not be written to the file, until the file changes.
   *
   * @throws CredsError `ERR_CREDS_OTHER_PEEL`, `ERR_CREDS_EXPIRED`
   */
  hold(creds: CredsFile): void {
    this.checkUsable(creds);
    try {
      this.#currentBytes = readWhole(this.path);
    } catch {
      this.#currentBytes = undefined;
    }
    this.adopt(creds);
  }
}

/**
 * Decodes the content of a `.creds` file. Connections that use the result read the file again at each connect.
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

/** Reads at most one byte more than the size limit of a `.creds` file. Synchronous, as authenticators are. */
function readWhole(path: string): Buffer {
  let fd: number | undefined;
  try {
    fd = openSync(path, READ_FLAGS);
    // each connect reads it again, so a pipe from the shell does not work either
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

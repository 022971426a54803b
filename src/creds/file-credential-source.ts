// Credentials that reload from their file; the last good ones stay in use.
import { readSmallFileSync } from '../files/read-small-file.js';
import { CredentialHolder, type RefreshResult } from './credential-holder.js';
import type { CredsFile } from './creds-file.js';
import { decodeCreds, MAX_CREDS_BYTES } from './decode-creds.js';

/**
 * The credentials of a `.creds` file, which each connect reads once and as a whole, so that JWT and seed always match
 * (docs/nats-facts.md, 4). It never throws, since an authenticator that throws closes the connection permanently
 * (docs/nats-facts.md, 3): if the file is missing, torn, invalid, expired, not valid yet or another peel's, the last good
 * credentials stay in use, and an event reports the reason.
 */
export class FileCredentialSource extends CredentialHolder {
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
    let content: Uint8Array | undefined;
    let creds: CredsFile | undefined;
    try {
      content = readSmallFileSync(this.path, MAX_CREDS_BYTES);
      creds = decodeCredsOfFile(content, this.path);
      return this.use(creds);
    } catch (error) {
      this.reject(error, creds);
      return 'rejected';
    } finally {
      content?.fill(0);
      if (creds !== this.current) creds?.wipe();
    }
  }

  /**
   * Uses credentials that could not be written to the file, until the file changes.
   *
   * @throws CredsError `ERR_CREDS_OTHER_PEEL`, `ERR_CREDS_EXPIRED`, `ERR_CREDS_NOT_YET_VALID`
   */
  hold(creds: CredsFile): void {
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

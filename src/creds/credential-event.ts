// The credential events of a connection.
import type { ZesterError } from '../errors.js';

/** An event about the credentials of a connection. Switch on `type`. None contains a seed. */
export type CredentialEvent =
  /** A new credential was read from the file; the next connect uses it. */
  | {
      type: 'credentialsLoaded';
      path: string;
      /** The user's public key. */
      publicKey: string;
      name: string | undefined;
      /** Milliseconds since 1970; undefined: never. */
      expiresAt: number | undefined;
    }
  /** The file cannot be used; the last good credential, if any, stays in use. */
  | { type: 'credentialsRejected'; path: string; error: ZesterError; inUse: string | undefined }
  /** The credential in use has expired, and the file has no newer one: the server will refuse it. */
  | { type: 'credentialsExpired'; path: string; publicKey: string; expiredAt: number };

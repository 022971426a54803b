// The credentials of a peel: their source, the store for new ones, and those in use.
import type { ConnectionCredentials } from '../connection/connect.js';
import { loadGiven, nameOf, storeOf, type CredentialStore } from '../connection/credentials.js';
import { noStoreError } from '../creds/credential-provider.js';
import type { GivenUserCredentials } from '../creds/credentials-option.js';
import type { CredsFile } from '../creds/creds-file.js';
import type { CredsError } from '../errors.js';
import { expiryTime } from '../jwt/expiry.js';
import {
  loadNow,
  recoveryFilesOf,
  withRecovery,
  type RecoveryFiles,
  type RecoveryFilesOptions,
} from './recovery-files.js';

/** Where the credentials of a peel are, and which ones it uses. */
export class PeelCredentials {
  #given: GivenUserCredentials;
  /** Stores new credentials, and their recovery credential; undefined: they cannot be stored. */
  readonly store: CredentialStore | undefined;
  /** Undefined: the peel does not recover by itself. */
  readonly recoveryFiles: RecoveryFiles | undefined;
  /** Those of the connection; undefined: there is none yet. */
  inUse: ConnectionCredentials | undefined;

  constructor(given: GivenUserCredentials, options: RecoveryFilesOptions) {
    this.#given = given;
    const store = storeOf(given);
    const files = store && recoveryFilesOf(given, options);
    this.recoveryFiles = files;
    this.store = store && files ? withRecovery(store, files) : store;
  }

  /** What to connect with. */
  get given(): GivenUserCredentials {
    return this.#given;
  }

  /** @throws TypeError before the first connection */
  get current(): CredsFile {
    if (this.inUse === undefined) throw new TypeError('the peel is not connected yet');
    return this.inUse.current;
  }

  /** When those in use expire, in milliseconds since 1970; undefined: never, or there are none yet. */
  get expiresAt(): number | undefined {
    return this.inUse && expiryTime(this.inUse.current.claims);
  }

  /** Loads those to connect with. @throws CredsError, FileError */
  load(): Promise<CredsFile> {
    return loadGiven(this.#given);
  }

  /** Loads the current ones from their source, not those loaded at the start. @throws CredsError, FileError */
  loadNow(): Promise<CredsFile> {
    return loadNow(this.#given);
  }

  /** They may have changed since the start loaded them: the next connect reads them again. */
  forgetLoaded(): void {
    if (this.#given.kind === 'file') this.#given = { kind: 'file', path: this.#given.path };
  }

  /** The error of whoever has to store new ones, if they cannot be stored. */
  noStore(): CredsError | undefined {
    return this.store === undefined ? noStoreError(nameOf(this.#given)) : undefined;
  }
}

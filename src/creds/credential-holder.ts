// Keeps the last good credentials in use, and reports what happens to them.
import { CredsError, ZesterError } from '../errors.js';
import { expiryTime } from '../jwt/expiry.js';
import { isoTime } from '../jwt/time.js';
import type { CredentialEvent } from './credential-event.js';
import type { CredsFile } from './creds-file.js';

/** How credentials that may be replaced are kept. */
export interface CredentialHolderOptions {
  /** Credentials already loaded; in use until newer ones are. */
  initial?: CredsFile;
  /** The name that the JWT must have: the peel's id. Another peel's credentials are then not used. */
  expectedName?: string;
  /** Without `expectedName`: hold on to the name of the first good credentials. Another peel's are then not used. */
  keepName?: boolean;
  /** Called with each event. It must not throw; if it does, that is ignored. */
  onEvent?: (event: CredentialEvent) => void;
  now?: () => number;
}

/** What a look at where credentials come from found. */
export type RefreshResult = 'unchanged' | 'changed' | 'rejected';

/** Credentials of a connection that may be replaced at any time. */
export interface CredentialSource {
  /** Where they come from: what events and errors name. */
  readonly path: string;
  /** The last good credentials. */
  readonly current: CredsFile | undefined;
  /** For `connect()`: signs the nonce with the last good credentials. It never throws. */
  readonly authenticator: (nonce?: string) => { jwt: string; nkey: string; sig: string } | undefined;
  /** Looks where they come from. It never throws. */
  refresh(): RefreshResult | Promise<RefreshResult>;
  /** Takes credentials that are not where they come from, as long as nothing changes there. @throws CredsError */
  hold(creds: CredsFile): void;
  /** Emits an event, once, if the credentials in use have expired. */
  reportExpiry(): void;
}

/** The part of a {@link CredentialSource} that does not depend on where the credentials come from. */
export abstract class CredentialHolder {
  readonly path: string;
  readonly #options: CredentialHolderOptions;
  #current: CredsFile | undefined;
  /** The last reported rejection, so that a look does not report it again. */
  #told: string | undefined;
  /** The JWT whose expiry was reported. */
  #expired: string | undefined;

  constructor(path: string, options: CredentialHolderOptions = {}) {
    this.path = path;
    this.#options = options;
    this.#current = options.initial;
  }

  /** The last good credentials. */
  get current(): CredsFile | undefined {
    return this.#current;
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

  /** Signs the nonce. Without any good credentials it sends none, and the server refuses. */
  protected authenticate(nonce: string | undefined): { jwt: string; nkey: string; sig: string } | undefined {
    try {
      return this.#current?.authenticate(nonce);
    } catch (error) {
      // only wiped credentials come here: the owner of the initial ones took them back
      this.reject(error);
      return undefined;
    }
  }

  /** Uses credentials, without an event: they are those in use, in another form. */
  protected replace(creds: CredsFile): void {
    this.#current = creds;
  }

  protected take(creds: CredsFile): void {
    this.#current = creds;
    this.#emit({
      type: 'credentialsLoaded',
      path: this.path,
      publicKey: creds.publicKey,
      name: creds.claims.name,
      expiresAt: expiryTime(creds.claims),
    });
  }

  /** @throws CredsError `ERR_CREDS_OTHER_PEEL`, `ERR_CREDS_EXPIRED` */
  protected checkUsable(creds: CredsFile): void {
    const { keepName, now } = this.#options;
    const expectedName =
      this.#options.expectedName ?? (keepName === true ? this.#current?.claims.name : undefined);
    checkUsable(creds, expectedName, now);
  }

  protected reject(error: unknown): void {
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

  /** The next rejection is reported, even if it is the same again. */
  protected forgetRejection(): void {
    this.#told = undefined;
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
      `${creds.path} holds the credentials of "${creds.claims.name ?? ''}", not of "${expectedName}"`,
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
    `the credentials of "${creds.claims.name ?? ''}" in ${creds.path} expired at ${at}: run "zester peel recover --creds FILE", or issue new ones`,
  );
}

// Keeps the last good credentials in use, and reports changes.
import { CredsError, ZesterError, type CredsErrorCode } from '../errors.js';
import { expiryTime } from '../jwt/expiry.js';
import { isNotYetValid, startTime } from '../jwt/not-before.js';
import { isoTime } from '../jwt/time.js';
import type { CredentialEvent } from './credential-event.js';
import type { CredsFile } from './creds-file.js';

/** The options for replaceable credentials. */
export interface CredentialHolderOptions {
  /** Already loaded credentials, used until newer ones arrive. */
  initial?: CredsFile;
  /** The required name in the JWT: the peel ID. Another peel's credentials are not used. */
  expectedName?: string;
  /** Without `expectedName`: require the name of the first good credentials. Another peel's are then not used. */
  keepName?: boolean;
  /** Called with each event. It must not throw; errors are ignored. */
  onEvent?: (event: CredentialEvent) => void;
  now?: () => number;
  /** The latest time that it may be, if `now` is the earliest; `now` by default. */
  latest?: (() => number) | undefined;
}

/** The result of checking the source. */
export type RefreshResult = 'unchanged' | 'changed' | 'rejected';

/** Credentials of a connection that may be replaced at any time. */
export interface CredentialSource {
  /** The name of their source, in events and errors. */
  readonly path: string;
  /** The last good credentials. */
  readonly current: CredsFile | undefined;
  /** Milliseconds until the credentials in the source become valid; undefined: they are, or cannot be used. */
  readonly validInMs: number | undefined;
  /** For `connect()`: signs the nonce with the last good credentials. It never throws. */
  readonly authenticator: (nonce?: string) => { jwt: string; nkey: string; sig: string } | undefined;
  /** Checks the source. It never throws. */
  refresh(): RefreshResult | Promise<RefreshResult>;
  /** Uses credentials that are not in the source, until the source changes. @throws CredsError */
  hold(creds: CredsFile): void;
  /** Emits an event, once, if the credentials in use have expired. */
  reportExpiry(): void;
}

/** The source-independent part of a {@link CredentialSource}. */
export abstract class CredentialHolder {
  readonly path: string;
  readonly #options: CredentialHolderOptions;
  #current: CredsFile | undefined;
  /** The JWT that the source had last: held credentials stay in use until it has another one. */
  #lastRead: string | undefined;
  /** The last reported rejection, so that it is not reported again. */
  #reported: string | undefined;
  /** When refused credentials become valid, in milliseconds since 1970. */
  #validFrom: number | undefined;
  /** The JWT whose expiry was reported. */
  #expired: string | undefined;

  constructor(path: string, options: CredentialHolderOptions = {}) {
    this.path = path;
    this.#options = options;
    this.#current = options.initial;
    this.#lastRead = options.initial?.jwt;
  }

  /** The last good credentials. */
  get current(): CredsFile | undefined {
    return this.#current;
  }

  /** Milliseconds until the credentials in the source become valid; undefined: they are, or cannot be used. */
  get validInMs(): number | undefined {
    const { now = Date.now, latest = now } = this.#options;
    return this.#validFrom && this.#validFrom - latest();
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

  /** Signs the nonce. Without good credentials it returns undefined, and the server refuses the connection. */
  protected authenticate(nonce: string | undefined): { jwt: string; nkey: string; sig: string } | undefined {
    try {
      return this.#current?.authenticate(nonce);
    } catch (error) {
      // only possible if the owner of the initial credentials has wiped them
      this.reject(error);
      return undefined;
    }
  }

  /**
   * Uses what the source has now, if that is new.
   *
   * @param isSuperseded it was replaced by newer credentials, which the source does not have yet
   * @throws CredsError as {@link adopt}
   */
  protected use(creds: CredsFile, isSuperseded = false): RefreshResult {
    const current = this.#current;
    const isKnown = isSuperseded || creds.jwt === this.#lastRead;
    // their owner may have wiped them
    const isUsable = current?.wiped === false;
    const isSame = creds.jwt === current?.jwt;
    const isNew = !isSame && !(isKnown && isUsable);
    if (isNew) {
      this.adopt(creds);
    } else if (isSame && !isUsable) {
      this.#current = creds;
    }
    this.#lastRead = creds.jwt;
    this.#validFrom = undefined;
    this.forgetRejection();
    return isNew ? 'changed' : 'unchanged';
  }

  /** @throws CredsError `ERR_CREDS_OTHER_PEEL`, `ERR_CREDS_EXPIRED`, `ERR_CREDS_NOT_YET_VALID` */
  protected adopt(creds: CredsFile): void {
    const {
      keepName,
      now,
      latest,
      expectedName = keepName === true ? this.#current?.claims.name : undefined,
    } = this.#options;
    checkUsable(creds, expectedName, now, latest);
    this.#current = creds;
    this.#emit({
      type: 'credentialsLoaded',
      path: this.path,
      publicKey: creds.publicKey,
      name: creds.claims.name,
      expiresAt: expiryTime(creds.claims),
    });
  }

  /** @param creds the credentials that it is about, if they could be read */
  protected reject(error: unknown, creds?: CredsFile): void {
    const known =
      error instanceof ZesterError
        ? error
        : new CredsError('ERR_CREDS_FORMAT', this.path, `${this.path} cannot be used`, { cause: error });
    this.#validFrom = known.code === 'ERR_CREDS_NOT_YET_VALID' && creds ? startTime(creds.claims) : undefined;
    if (this.#reported === known.message) return;
    this.#reported = known.message;
    this.#emit({
      type: 'credentialsRejected',
      path: this.path,
      error: known,
      inUse: this.#current?.publicKey,
    });
  }

  /** Reports the next rejection even if it repeats the last one. */
  protected forgetRejection(): void {
    this.#reported = undefined;
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
 * Checks that credentials belong to the expected user and are valid now.
 *
 * @param expectedName the name that the JWT must have; undefined: any
 * @param latest the latest time that it may be, if `now` is the earliest
 * @throws CredsError `ERR_CREDS_OTHER_PEEL`, `ERR_CREDS_EXPIRED`, `ERR_CREDS_NOT_YET_VALID`
 */
export function checkUsable(
  creds: CredsFile,
  expectedName: string | undefined,
  now: () => number = Date.now,
  latest: () => number = now,
): void {
  if (expectedName !== undefined && creds.claims.name !== expectedName) {
    throw new CredsError(
      'ERR_CREDS_OTHER_PEEL',
      creds.path,
      `${creds.path} holds the credentials of "${creds.claims.name ?? ''}", not of "${expectedName}"`,
    );
  }
  if (creds.isExpired(now)) throw expired(creds);
  if (isNotYetValid(creds.claims, latest())) throw notYetValid(creds);
}

/** The error for expired credentials. */
export function expired(creds: CredsFile): CredsError {
  const why = `expired at ${isoTime(creds.claims.exp ?? 0)}: run "zester peel recover --creds FILE", or issue new ones`;
  return untimely('ERR_CREDS_EXPIRED', creds, why);
}

/** The error for credentials that become valid later. */
export function notYetValid(creds: CredsFile): CredsError {
  const why = `are not valid before ${isoTime(creds.claims.nbf ?? 0)}: wait, or check the clock`;
  return untimely('ERR_CREDS_NOT_YET_VALID', creds, why);
}

function untimely(code: CredsErrorCode, { claims, path }: CredsFile, why: string): CredsError {
  return new CredsError(code, path, `the credentials of "${claims.name ?? ''}" in ${path} ${why}`);
}

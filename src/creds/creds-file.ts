// CredsFile: parsed credentials, and their authenticator.
import { hasExpired } from '../jwt/expiry.js';
import { inspect } from 'node:util';
import { CredsError, redactSeeds } from '../errors.js';
import type { UserClaims } from '../jwt/claims.js';
import type { KeyPair } from '../nkeys/key-pair.js';
import type { NatsOptions } from './nats-options.js';
import { signNonce } from './sign-nonce.js';

/**
 * Makes the authenticator of credentials from a file: it reads the file again at each connect.
 *
 * @internal
 */
export type FileAuthenticator = (creds: CredsFile) => NonNullable<NatsOptions['authenticator']>;

/**
 * A user's credentials: a JWT and the seed of its key, already checked against each other.
 *
 * The seed is not enumerable: `console.log`, `util.inspect`, `JSON.stringify` and template strings show only the user.
 *
 * @example
 * import { loadCredsFile } from 'zester';
 *
 * const creds = await loadCredsFile('web-01.creds');
 * console.log(creds.claims.name, creds.publicKey); // web-01 U…
 * console.log(creds.isExpired()); // false
 * const { jwt, nkey, sig } = creds.authenticate('the nonce of a server');
 * creds.wipe();
 */
export class CredsFile implements Disposable {
  /** The user JWT. */
  readonly jwt: string;
  /** The file, or the name given with the bytes, for errors and logs: a seed in it is redacted. */
  readonly path: string;
  /** Whether `path` is a file that can be read again. Determines what {@link natsOption} does. */
  readonly source: 'file' | 'bytes';
  /** The claims of the JWT; its signature was verified against its issuer. */
  readonly claims: UserClaims;
  readonly #key: KeyPair;
  readonly #fileAuthenticator: FileAuthenticator | undefined;

  /** @internal Use `loadCredsFile` or `parseCredsData`. */
  constructor(
    jwt: string,
    key: KeyPair,
    claims: UserClaims,
    path: string,
    fileAuthenticator?: FileAuthenticator,
  ) {
    this.jwt = jwt;
    this.#key = key;
    this.claims = claims;
    this.path = redactSeeds(path);
    this.source = fileAuthenticator === undefined ? 'bytes' : 'file';
    this.#fileAuthenticator = fileAuthenticator;
  }

  /**
   * The seed's text (`SU…`) as ASCII bytes: the secret itself, a copy.
   *
   * @throws CredsError `ERR_CREDS_WIPED`
   */
  get seed(): Uint8Array {
    return this.#live().seed;
  }

  /** The user's public key (`U…`). */
  get publicKey(): string {
    return this.claims.sub;
  }

  /**
   * Whether the JWT has expired.
   *
   * @param now the clock, in milliseconds since 1970; `Date.now` by default
   */
  isExpired(now: () => number = Date.now): boolean {
    return hasExpired(this.claims, now());
  }

  /** The authentication fields of a CONNECT: the JWT, and the signature of the server's nonce. */
  authenticate(nonce: string | undefined): { jwt: string; nkey: string; sig: string } {
    return signNonce(this.jwt, this.#live(), nonce);
  }

  /**
   * Options to spread into `connect()` of @nats-io/transport-node. Credentials from a file are read again at each
   * connect, so the next reconnect uses a replaced file; parsed bytes never change. Authentication errors do not close
   * the connection (docs/nats-facts.md, 2).
   *
   * @example
   * import { connect } from '@nats-io/transport-node';
   * import { loadCredsFile } from 'zester';
   *
   * const creds = await loadCredsFile('master.creds');
   * const nc = await connect({
   *   servers: process.env.NATS_URL ?? 'nats://127.0.0.1:4222',
   *   ...creds.natsOption(),
   * });
   * await nc.close();
   */
  natsOption(): NatsOptions {
    const authenticator = this.#fileAuthenticator?.(this) ?? ((nonce?: string) => this.authenticate(nonce));
    return { authenticator, ignoreAuthErrorAbort: true };
  }

  /** Whether {@link wipe} was called. */
  get wiped(): boolean {
    return this.#key.wiped;
  }

  /**
   * Overwrites the seed in memory. Options from a file still work with the file's content; options from bytes can no
   * longer sign, and the client closes a connection that needs a signature.
   */
  wipe(): void {
    this.#key.wipe();
  }

  /** The same as `wipe()`, for `using`. */
  [Symbol.dispose](): void {
    this.wipe();
  }

  /** Without the seed. */
  toJSON(): {
    path: string;
    source: 'file' | 'bytes';
    name: string | undefined;
    publicKey: string;
    jwt: string;
  } {
    return {
      path: this.path,
      source: this.source,
      name: this.claims.name,
      publicKey: this.publicKey,
      jwt: this.jwt,
    };
  }

  toString(): string {
    return `CredsFile(${this.claims.name ?? ''} ${this.publicKey} from ${this.path})`;
  }

  /** The output of `console.log` and `util.inspect`: no seed. */
  [inspect.custom](): string {
    return this.toString();
  }

  #live(): KeyPair {
    if (this.#key.wiped) {
      throw new CredsError(
        'ERR_CREDS_WIPED',
        this.path,
        `the credentials of ${this.path} were wiped: load them again`,
      );
    }
    return this.#key;
  }
}

// Signs the JWTs of peels and join tokens.
import type { IssuedKey } from '../../protocol/records/audit-event.js';
import { createUserJwtForPublicKey } from '../../jwt/user.js';
import type { KeyBundle } from '../../nkeys/key-bundle.js';
import { recoveryUserJwtOptions } from '../../permissions/recovery.js';
import { joinUserJwtOptions, peelUserJwtOptions } from '../../permissions/roles.js';

/** The keys that an {@link Issuer} signs with. */
export interface IssuerKeys {
  /** The account (`A…`) that users belong to. */
  account: string;
  /** The scoped signing key of peels. */
  peelSigner: KeyBundle;
  /** The scoped signing key of join tokens; undefined: this trust domain has none, or it is offline. */
  joinSigner: KeyBundle | undefined;
}

/**
 * Signs the JWTs of peels and join tokens. Deterministic: the same facts give the same JWT, byte for byte, so a retry
 * recreates a JWT whose answer was lost instead of issuing a second one.
 */
export class Issuer {
  readonly #keys: IssuerKeys;

  constructor(keys: IssuerKeys) {
    this.#keys = keys;
  }

  get account(): string {
    return this.#keys.account;
  }

  /** The facts of a JWT issued now. @param lifetime seconds; 0 = never expires */
  facts(publicKey: string, nowMs: number, lifetime: number, requestId?: string): IssuedKey {
    const issuedAt = Math.floor(nowMs / 1000);
    return {
      publicKey,
      issuer: this.#keys.peelSigner.publicKey,
      issuedAt,
      ...(lifetime > 0 && { expiresAt: issuedAt + lifetime }),
      ...(requestId !== undefined && { requestId }),
    };
  }

  /** Whether it can recreate the JWT of these facts: its signing key is still the current one. */
  canSign({ issuer }: IssuedKey): boolean {
    return issuer === this.#keys.peelSigner.publicKey;
  }

  /** The JWT of a peel. @throws PeelIdError, JwtError */
  peelJwt(peelId: string, { publicKey, issuedAt, expiresAt }: IssuedKey): string {
    return createUserJwtForPublicKey(
      publicKey,
      this.#keys.peelSigner,
      peelUserJwtOptions(peelId, this.#keys.account, {
        scoped: true,
        now: () => issuedAt * 1000,
        ...(expiresAt !== undefined && { expiry: expiresAt - issuedAt }),
      }),
    );
  }

  /** The key that signs join tokens (`A…`); undefined: there is none. */
  get joinIssuer(): string | undefined {
    return this.#keys.joinSigner?.publicKey;
  }

  /** The JWT of a join token. @param ttl seconds @throws JwtError */
  tokenJwt(tokenId: string, publicKey: string, nowMs: number, ttl: number): string {
    const { joinSigner, account } = this.#keys;
    if (joinSigner === undefined) throw new TypeError('there is no signing key for join tokens');
    return createUserJwtForPublicKey(
      publicKey,
      joinSigner,
      joinUserJwtOptions(tokenId, account, { now: () => nowMs, expiry: ttl }),
    );
  }

  /**
   * The JWT of a peel's recovery credential, for the key of these facts; undefined: it does not expire, or there is no key to
   * sign with.
   *
   * @param outlives how long it outlives the peel's own JWT, in seconds
   * @param count how often the peel has recovered
   * @throws PeelIdError, JwtError
   */
  recoveryJwt(
    peelId: string,
    { publicKey, issuedAt, expiresAt }: IssuedKey,
    { outlives, count }: { outlives: number; count: number },
  ): string | undefined {
    const { joinSigner, account } = this.#keys;
    if (joinSigner === undefined || expiresAt === undefined) return undefined;
    return createUserJwtForPublicKey(
      publicKey,
      joinSigner,
      recoveryUserJwtOptions(peelId, account, {
        count,
        now: () => issuedAt * 1000,
        expiry: expiresAt - issuedAt + outlives,
      }),
    );
  }

  wipe(): void {
    this.#keys.peelSigner.wipe();
    this.#keys.joinSigner?.wipe();
  }
}

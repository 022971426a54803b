// Credentials that reload from a provider; the last good ones stay in use.
import { Coalescer } from '../async/coalesce.js';
import { CREDENTIAL_PROVIDER_SPACING_MS } from '../timing.js';
import { CredentialHolder, type CredentialHolderOptions, type RefreshResult } from './credential-holder.js';
import { loadFromProvider, providerName, type CredentialProvider } from './credential-provider.js';
import type { CredsFile } from './creds-file.js';

/** The number of replaced credentials to remember. */
const MAX_SUPERSEDED = 16;

/**
 * The credentials from a provider. An authenticator is synchronous, so a connect uses the last good ones, and requests
 * a load for the next connect. Neither throws: if the provider fails, times out, or returns unusable credentials, the
 * last good ones stay in use, and an event reports the reason.
 */
export class ProviderCredentialSource extends CredentialHolder {
  readonly #loads: Coalescer<RefreshResult>;
  /** JWTs replaced by stored newer ones: a provider with a cache may return them again. */
  readonly #superseded: string[] = [];
  #loadedAt = -Infinity;
  #onLoad: () => void = () => undefined;

  constructor(
    readonly provider: CredentialProvider,
    options: CredentialHolderOptions = {},
  ) {
    super(providerName(provider), options);
    this.#loads = new Coalescer(() => this.#load());
  }

  /** For `connect()`: signs the nonce with the last good credentials. */
  readonly authenticator = (nonce?: string): { jwt: string; nkey: string; sig: string } | undefined => {
    this.forgetRejection();
    // a server may refuse the credentials several times a second
    if (performance.now() - this.#loadedAt >= CREDENTIAL_PROVIDER_SPACING_MS) void this.refresh();
    this.reportExpiry();
    return this.authenticate(nonce);
  };

  /** Loads from the provider, coalescing concurrent calls. It never throws. */
  refresh(): Promise<RefreshResult> {
    return this.#loads.run();
  }

  /** Sets the callback for the end of each load. */
  onLoad(callback: () => void): void {
    this.#onLoad = callback;
  }

  /**
   * Uses credentials that the provider has stored or will store, until it returns new ones.
   *
   * @throws CredsError `ERR_CREDS_OTHER_PEEL`, `ERR_CREDS_EXPIRED`, `ERR_CREDS_NOT_YET_VALID`
   */
  hold(creds: CredsFile): void {
    const replaced = this.current?.jwt;
    if (replaced === creds.jwt) return;
    this.adopt(creds);
    if (replaced !== undefined) this.#superseded.push(replaced);
    if (this.#superseded.length > MAX_SUPERSEDED) this.#superseded.shift();
  }

  async #load(): Promise<RefreshResult> {
    this.#loadedAt = performance.now();
    const result = await this.#loaded();
    this.#onLoad();
    return result;
  }

  async #loaded(): Promise<RefreshResult> {
    let creds: CredsFile | undefined;
    try {
      creds = await loadFromProvider(this.provider);
      return this.use(creds, this.#superseded.includes(creds.jwt));
    } catch (error) {
      this.reject(error, creds);
      return 'rejected';
    }
  }
}

// The master's view of its trust domain, reloaded when the home changes.
import { statSync } from 'node:fs';
import type { AccountClaims } from '../../jwt/claims.js';
import { TrustError } from '../../errors.js';
import { Coalescer } from '../../async/coalesce.js';
import type { TrustDomain } from '../../trust/domain.js';
import { openTrustDomain } from '../../trust/open.js';
import { Issuer } from './issuer.js';
import type { MasterLogger } from '../logger.js';
import { errorMessage } from '../../text/error-message.js';
import { HOME_RELOAD_INTERVAL_MS } from '../../timing.js';

/**
 * The current trust domain of a master's home: other commands may change permissions, keys and revocations while a
 * master runs.
 */
export class MasterTrust {
  readonly #home: string;
  readonly #logger: MasterLogger;
  readonly #listeners = new Set<() => void>();
  #domain: TrustDomain;
  #issuer: Issuer;
  #stamp: string;
  #timer: NodeJS.Timeout | undefined;
  readonly #reloading = new Coalescer(() => this.#reload());

  private constructor(domain: TrustDomain, issuer: Issuer, stamp: string, logger: MasterLogger) {
    this.#home = domain.home;
    this.#domain = domain;
    this.#issuer = issuer;
    this.#stamp = stamp;
    this.#logger = logger;
    this.#timer = setInterval(() => void this.reload(), HOME_RELOAD_INTERVAL_MS);
    this.#timer.unref();
  }

  /** @throws TrustError, FileError, KeyError */
  static async open(home: string, logger: MasterLogger): Promise<MasterTrust> {
    const domain = await openTrustDomain(home);
    return new MasterTrust(domain, await issuerOf(domain), stampOf(domain), logger);
  }

  get domain(): TrustDomain {
    return this.#domain;
  }

  get claims(): AccountClaims {
    return this.#domain.accountClaims;
  }

  get issuer(): Issuer {
    return this.#issuer;
  }

  /** Called after a changed home was reloaded. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Reloads the home if it has changed. If it cannot be read now, keeps the previous state and retries later. Coalesces
   * concurrent calls: a server restart brings thousands of connections at once, and each one calls this.
   */
  reload(): Promise<void> {
    return this.#reloading.run();
  }

  async #reload(): Promise<void> {
    try {
      const stamp = stampOf(this.#domain);
      if (stamp === this.#stamp) return;
      const domain = await openTrustDomain(this.#home);
      const issuer = await issuerOf(domain);
      this.#stamp = stamp;
      this.#domain = domain;
      // do not wipe the old one: an answer in progress may use it
      this.#issuer = issuer;
      this.#logger.info({ home: this.#home }, 'reloaded the changed trust domain');
      for (const listener of this.#listeners) listener();
    } catch (error) {
      this.#logger.warn(
        { reason: errorMessage(error) },
        'cannot read the changed trust domain; keeping the previous one',
      );
    }
  }

  /** Wipes the keys, including those of a reload in progress. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#reloading.idle();
    this.#issuer.wipe();
  }
}

/** Synchronous: it is called for every request, and a thread would cost ten times as much. */
function stampOf({ paths }: TrustDomain): string {
  const files = [paths.settings, paths.operatorJwt, paths.systemAccountJwt, paths.accountJwt];
  const stamps = files.map((path) => {
    const { mtimeMs, ino, size } = statSync(path);
    return `${ino}:${mtimeMs}:${size}`;
  });
  return stamps.join(' ');
}

async function issuerOf(domain: TrustDomain): Promise<Issuer> {
  const peelSigner = await domain.peelSigner();
  return new Issuer({
    account: domain.publicKeys.account,
    peelSigner,
    joinSigner: await joinSignerOf(domain),
  });
}

/** Absent in a home older than join tokens, and if this key is kept elsewhere; everything else works without it. */
async function joinSignerOf(domain: TrustDomain) {
  try {
    return await domain.joinSigner();
  } catch (error) {
    if (error instanceof TrustError && error.code === 'ERR_TRUST_KEY_OFFLINE') return undefined;
    throw error;
  }
}

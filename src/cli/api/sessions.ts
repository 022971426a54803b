// Sessions of the page: a one-time link becomes a cookie.
import { createHash, randomBytes } from 'node:crypto';
import { ApiError } from '../../errors.js';
import { UI_LINK_LIFETIME_MS, UI_SESSION_LIFETIME_MS } from '../../timing.js';

/** Maximum number of sessions; the oldest is signed out. */
const MAX_SESSIONS = 32;
/** Maximum number of unused links. */
const MAX_LINKS = 16;

/**
 * The sessions of the page. Keys are 256 random bits, and only their digests are stored. The key of a link works once.
 *
 * @param now milliseconds since 1970
 */
export class Sessions {
  readonly #now: () => number;
  readonly #links = new Map<string, number>();
  readonly #sessions = new Map<string, number>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** A new key for a link: it can be exchanged for a session once, within ten minutes. */
  newLinkKey(): string {
    return remember(this.#links, this.#now() + UI_LINK_LIFETIME_MS, MAX_LINKS);
  }

  /**
   * Exchanges a link's key for a session.
   *
   * @returns the session key
   * @throws ApiError `ERR_API_AUTH`
   */
  open(linkKey: string): string {
    const id = digest(linkKey);
    const until = this.#links.get(id);
    this.#links.delete(id);
    if (until === undefined || until <= this.#now()) {
      throw new ApiError(
        'ERR_API_AUTH',
        'this link is unknown, was used before, or has expired: press Enter where "zester ui" runs for a new one',
      );
    }
    return remember(this.#sessions, this.#now() + UI_SESSION_LIFETIME_MS, MAX_SESSIONS);
  }

  /** Whether this is the key of a session. */
  has(key: string): boolean {
    const until = this.#sessions.get(digest(key));
    return until !== undefined && until > this.#now();
  }

  /** Signs out. */
  close(key: string): void {
    this.#sessions.delete(digest(key));
  }
}

function remember(keys: Map<string, number>, until: number, most: number): string {
  const key = randomBytes(32).toString('base64url');
  keys.set(digest(key), until);
  const [oldest] = keys.keys();
  if (keys.size > most && oldest !== undefined) keys.delete(oldest);
  return key;
}

/** The lookup is by digest, so its timing reveals nothing about a key. */
function digest(key: string): string {
  return createHash('sha256').update(key).digest('base64url');
}

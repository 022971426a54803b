// Issues one batch of credentials.
import { inspect } from 'node:util';
import { encodeUserJwt } from '../jwt/user.js';
import { generateKeyBundle, type KeyBundle } from '../nkeys/key-bundle.js';
import { formatCreds } from '../creds/format.js';
import { jwtOptionsOf, type IssuePlan } from './issue-options.js';

/**
 * The new credentials of one peel. `content` is not enumerable: when logged, printed, cloned or converted to JSON, the
 * object shows its peel and no seed.
 */
export interface PeelCredential {
  readonly peelId: string;
  /** The user's public key (`U…`). */
  readonly publicKey: string;
  readonly jwt: string;
  /** The bytes of the `.creds` file. They contain the seed: the caller keeps them safe and wipes them. */
  readonly content: Uint8Array;
  /** Wipes the content. */
  [Symbol.dispose](): void;
}

/** @internal */
export class IssuedCredential implements PeelCredential {
  readonly peelId: string;
  readonly publicKey: string;
  readonly jwt: string;
  readonly #content: Uint8Array;

  constructor(peelId: string, publicKey: string, jwt: string, content: Uint8Array) {
    this.peelId = peelId;
    this.publicKey = publicKey;
    this.jwt = jwt;
    this.#content = content;
  }

  get content(): Uint8Array {
    return this.#content;
  }

  [Symbol.dispose](): void {
    this.#content.fill(0);
  }

  toString(): string {
    return `PeelCredential(${this.peelId} ${this.publicKey})`;
  }

  [inspect.custom](): string {
    return this.toString();
  }
}

/**
 * Issues credentials for some peels: for each, a new key, its JWT, and the bytes of its file.
 *
 * @param nowMs the issue time, in milliseconds since 1970
 * @throws PeelIdError, KeyError, JwtError
 */
export function issueBatch(
  ids: readonly string[],
  signer: KeyBundle,
  plan: IssuePlan,
  nowMs: number,
): PeelCredential[] {
  return ids.map((peelId) => {
    const options = jwtOptionsOf(plan, peelId, nowMs);
    const user = generateKeyBundle('user');
    const jwt = encodeUserJwt(user.publicKey, signer, options);
    const seed = user.seed;
    const content = formatCreds(jwt, seed);
    seed.fill(0);
    user.wipe();
    return new IssuedCredential(peelId, user.publicKey, jwt, content);
  });
}

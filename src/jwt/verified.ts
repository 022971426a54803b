// Caches which JWTs have a valid signature, so that each is verified once.
import { sha256Key } from './hash.js';

/**
 * A cache of valid signatures only, since these stay valid. Claims are not cached, so expiry, not-before, revocations
 * and issuers are checked each time against the current state.
 *
 * An entry is the SHA-256 of the signer's public key and the whole text of the JWT, including its signature. A JWT that
 * differs in one byte has a different entry, so no entry covers an unverified JWT.
 *
 * Two generations bound it: when the younger is full, the older is dropped. A lookup moves an entry to the younger, so
 * entries in use stay. A cache library would be larger than all the code that reads a credential.
 */
export class VerifiedJwts {
  readonly #perGeneration: number;
  #young = new Set<string>();
  #old = new Set<string>();

  /** @param size minimum number of entries that it keeps; the maximum is twice as many */
  constructor(size: number) {
    this.#perGeneration = size;
  }

  /** The number of entries. */
  get size(): number {
    return this.#young.size + this.#old.size;
  }

  has(entry: string): boolean {
    if (this.#young.has(entry)) return true;
    if (!this.#old.delete(entry)) return false;
    this.add(entry);
    return true;
  }

  /** Call it only for a signature that this process verified. */
  add(entry: string): void {
    if (this.#young.size >= this.#perGeneration) {
      this.#old = this.#young;
      this.#young = new Set();
    }
    this.#young.add(entry);
  }
}

/** The entry of a JWT. */
export function entryOf(signer: string, jwt: string): string {
  return sha256Key(`${signer} ${jwt}`);
}

/** Enough for twice the users of a large fleet: about 100 bytes each, allocated on use. */
const MIN_ENTRIES = 131_072;

const verifiedJwts = new VerifiedJwts(MIN_ENTRIES);

/** The known facts about a JWT that this process signed. */
export interface SignedJwt {
  readonly signer: string;
  readonly subject: string;
}

/**
 * The last signed JWTs, with their whole text, so that a lookup needs no hash. A ring buffer, since a map with as many
 * deletions as insertions costs more than the search.
 */
const justSigned: (SignedJwt & { readonly jwt: string })[] = [];
const MAX_JUST_SIGNED = 16;
let next = 0;

/**
 * Whether this process has verified or created the signature of this JWT by this key.
 *
 * @returns undefined if it has; otherwise the function to call after the signature was verified
 */
export function unlessVerified(signer: string, jwt: string): (() => void) | undefined {
  if (signedJustNow(jwt)?.signer === signer) return undefined;
  const entry = entryOf(signer, jwt);
  return verifiedJwts.has(entry) ? undefined : () => verifiedJwts.add(entry);
}

/**
 * Call it after this process has signed a JWT.
 *
 * @param signer the public key of the seed that signed it
 */
export function noteSigned(jwt: string, signer: string, subject: string): void {
  justSigned[next] = { jwt, signer, subject };
  next = (next + 1) % MAX_JUST_SIGNED;
}

/** The facts about a JWT that this process just signed; undefined: unknown, so decode it like any other. */
export function signedJustNow(jwt: string): SignedJwt | undefined {
  return justSigned.find((one) => one.jwt === jwt);
}

// Remembers which JWTs have a valid signature, so that each is verified once.
import { sha256Key } from './hash.js';

/**
 * A signature that was valid once is valid forever: this is all that is remembered. Nothing is remembered of claims, so
 * that expiry, not-before, revocations and issuers are checked each time, against what holds then.
 *
 * An entry is the SHA-256 of the signer's public key and of the whole text of the JWT, its signature included. One other byte
 * is another entry, so no entry speaks for a JWT that was not verified itself.
 *
 * Two generations bound it: when the younger is full, the older is dropped. What is asked for moves to the younger, so that
 * what is in use stays. A library for caches would be larger than all that reads a credential.
 */
export class VerifiedJwts {
  readonly #perGeneration: number;
  #young = new Set<string>();
  #old = new Set<string>();

  /** @param size how many it remembers at least, once it has seen as many; at most twice as many */
  constructor(size: number) {
    this.#perGeneration = size;
  }

  /** How many are remembered. */
  get size(): number {
    return this.#young.size + this.#old.size;
  }

  has(signer: string, jwt: string): boolean {
    const entry = entryOf(signer, jwt);
    if (this.#young.has(entry)) return true;
    if (!this.#old.delete(entry)) return false;
    this.#add(entry);
    return true;
  }

  /** Only for a signature that was verified, or made, by this process. */
  add(signer: string, jwt: string): void {
    this.#add(entryOf(signer, jwt));
  }

  #add(entry: string): void {
    if (this.#young.size >= this.#perGeneration) {
      this.#old = this.#young;
      this.#young = new Set();
    }
    this.#young.add(entry);
  }
}

function entryOf(signer: string, jwt: string): string {
  return sha256Key(`${signer} ${jwt}`);
}

/** A fleet's users, with room for as many again: about 100 bytes each, and only of those that were seen. */
const MOST_USERS = 131_072;

const verifiedJwts = new VerifiedJwts(MOST_USERS);

/** What is known of a JWT that this process signed. */
export interface SignedJwt {
  readonly signer: string;
  readonly subject: string;
}

/**
 * The last few, each beside its whole text: finding one takes no digest, and no hash either. A ring, since a map that
 * forgets as often as it learns costs more than the search.
 */
const justSigned: { readonly jwt: string; readonly signed: SignedJwt }[] = [];
const MOST_JUST_SIGNED = 16;
let next = 0;

/** Whether this process has verified, or made, the signature of this JWT by this key. */
export function isVerified(signer: string, jwt: string): boolean {
  return signedJustNow(jwt)?.signer === signer || verifiedJwts.has(signer, jwt);
}

/** To be called when a signature was verified. */
export function noteVerified(signer: string, jwt: string): void {
  verifiedJwts.add(signer, jwt);
}

/**
 * To be called when this process has signed a JWT.
 *
 * @param signer the public key that belongs to the seed that signed it
 */
export function noteSigned(jwt: string, signer: string, subject: string): void {
  justSigned[next] = { jwt, signed: Object.freeze({ signer, subject }) };
  next = (next + 1) % MOST_JUST_SIGNED;
}

/** What is known of a JWT that this process signed a moment ago; undefined: nothing, so it is to be read as any other. */
export function signedJustNow(jwt: string): SignedJwt | undefined {
  return justSigned.find((one) => one.jwt === jwt)?.signed;
}

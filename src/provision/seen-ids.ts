// Detects duplicate IDs in lists of any length.
import { createHash } from 'node:crypto';

/**
 * Remembers IDs in sixteen bytes each, regardless of their length, so that a list of any length can be checked for
 * duplicates. It keeps a 64-bit hash: of lists with a million IDs, one in thirty million has a collision, which
 * is then reported as a duplicate, not dropped silently.
 */
export class SeenIds {
  #table = new BigUint64Array(1024);
  #count = 0;

  /** @returns whether the ID is new */
  add(id: string): boolean {
    if (this.#count * 2 >= this.#table.length) this.#grow();
    return this.#put(hashOf(id));
  }

  has(id: string): boolean {
    return this.#table[this.#placeOf(hashOf(id))] !== 0n;
  }

  #put(hash: bigint): boolean {
    const at = this.#placeOf(hash);
    if (this.#table[at] !== 0n) return false;
    this.#table[at] = hash;
    this.#count += 1;
    return true;
  }

  /** The slot of a hash, or the empty slot where it belongs. */
  #placeOf(hash: bigint): number {
    const mask = this.#table.length - 1;
    let at = Number(hash & BigInt(mask));
    while (this.#table[at] !== 0n && this.#table[at] !== hash) at = (at + 1) & mask;
    return at;
  }

  #grow(): void {
    const old = this.#table;
    this.#table = new BigUint64Array(old.length * 2);
    this.#count = 0;
    for (const hash of old) if (hash !== 0n) this.#put(hash);
  }
}

function hashOf(id: string): bigint {
  return createHash('sha256').update(id).digest().readBigUInt64LE() || 1n; // 0 is an empty slot
}

// Memory for secrets: guarded, locked and wiped.
import type { Sodium } from './load-sodium.js';

/** The protection of memory: locked and between guard pages, only between guard pages, or none. */
export type Protection = 'locked' | 'guarded' | 'plain';

/** The size of a slot for one secret. */
export const SECRET_BYTES = 64;
/** Many secrets share a page: a page for each would take longer than generating a key, and soon reach the limit. */
const PAGE_BYTES = 4096;
/** The part of a page that libsodium uses itself. Source: libsodium, utils.c (`CANARY_SIZE`). */
const CANARY_BYTES = 16;
const PER_PAGE = Math.floor((PAGE_BYTES - CANARY_BYTES) / SECRET_BYTES);

/**
 * Allocates slots for secrets in pages that libsodium guards. A page is locked as long as the process may lock more
 * (`ulimit -l`); after that, pages are only guarded, and `onLimit` is called once. Pages are reused, not freed.
 */
export class GuardedMemory {
  readonly #sodium: Sodium;
  readonly #onLimit: () => void;
  readonly #free: Uint8Array[] = [];
  #protection: Protection | undefined;

  constructor(sodium: Sodium, onLimit: () => void) {
    this.#sodium = sodium;
    this.#onLimit = onLimit;
  }

  /** The protection of the latest page, the weakest so far. Allocates a first page to find out. */
  get protection(): Protection {
    if (this.#protection === undefined) this.#addPage();
    return this.#protection ?? 'plain';
  }

  /** A slot of {@link SECRET_BYTES}, all 0. */
  take(): Uint8Array {
    if (this.#free.length === 0) this.#addPage();
    return this.#free.pop() ?? new Uint8Array(SECRET_BYTES);
  }

  /** Wipes a slot, which may be reused at once: the caller must drop it. */
  release(slot: Uint8Array): void {
    this.#sodium.sodium_memzero(slot);
    this.#free.push(slot);
  }

  #addPage(): void {
    const page = this.#newPage();
    for (let i = 0; i < PER_PAGE; i++) {
      const slot = page.subarray(i * SECRET_BYTES, (i + 1) * SECRET_BYTES);
      slot.fill(0); // libsodium fills new memory with another value
      this.#free.push(slot);
    }
  }

  #newPage(): Uint8Array {
    const size = PER_PAGE * SECRET_BYTES;
    let page: Uint8Array;
    try {
      page = this.#sodium.sodium_malloc(size);
    } catch {
      // a runtime that does not allow external memory (Electron's sandbox), or out of memory
      this.#weaken('plain');
      return new Uint8Array(size);
    }
    try {
      // sodium_malloc has tried to lock it, but does not report whether it succeeded
      this.#sodium.sodium_mlock(page);
      this.#protection ??= 'locked';
    } catch {
      this.#weaken('guarded');
    }
    return page;
  }

  #weaken(protection: Protection): void {
    const isNews = this.#protection === undefined || this.#protection === 'locked';
    this.#protection = protection;
    if (isNews) this.#onLimit();
  }
}

// Tells how far the watch of a bucket has come, and whether it still follows.

/** Consecutive checks at which a watch is behind before it counts as stopped. */
const LOOKS = 2;

/** How far a watch has come. */
export class WatchProgress {
  #last = 0;
  #behind = 0;
  #seenAtLook = 0;

  /** The newest revision that was seen; 0: none was. */
  get last(): number {
    return this.#last;
  }

  /** Starts over: the next watch reads everything. */
  reset(): void {
    this.#last = 0;
  }

  /**
   * Notes an entry.
   *
   * @param target the last revision of the stream when the watch began
   * @returns whether all that was there then has been seen; a key that was deleted may have been the newest
   */
  saw({ revision, isUpdate }: { revision: number; isUpdate: boolean }, target: number): boolean {
    this.#last = Math.max(this.#last, revision);
    return isUpdate || revision >= target;
  }

  /**
   * Looks at the stream, to be called now and then: the watch of a server that died stays silent. One that is behind and
   * comes closer goes on: another would begin with what this one has under way.
   *
   * @returns whether the watch has stopped and must be restarted
   */
  hasStopped(lastOfStream: number): boolean {
    const hasMoved = this.#last !== this.#seenAtLook;
    this.#seenAtLook = this.#last;
    this.#behind = lastOfStream <= this.#last ? 0 : hasMoved ? 1 : this.#behind + 1;
    if (this.#behind < LOOKS) return false;
    this.#behind = 0;
    return true;
  }
}

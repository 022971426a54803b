// Tracks the progress of a bucket's watch, and detects that it stopped.

/** The consecutive checks without progress after which a watch counts as stopped. */
const STALLED_CHECKS = 2;

/** The progress of a watch. */
export class WatchProgress {
  #last = 0;
  #behind = 0;
  #lastAtCheck = 0;

  /** The newest revision seen; 0: none. */
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
   * @returns whether all entries of that time have been seen; the newest may have been a deleted key
   */
  note({ revision, isUpdate }: { revision: number; isUpdate: boolean }, target: number): boolean {
    this.#last = Math.max(this.#last, revision);
    return isUpdate || revision >= target;
  }

  /**
   * Compares with the stream. Call it periodically, since a watch on a dead server stays silent. A watch that is
   * behind but catching up continues: a new one would start over.
   *
   * @returns whether the watch has stopped and must be restarted
   */
  hasStopped(lastOfStream: number): boolean {
    const hasMoved = this.#last !== this.#lastAtCheck;
    this.#lastAtCheck = this.#last;
    this.#behind = lastOfStream <= this.#last ? 0 : hasMoved ? 1 : this.#behind + 1;
    if (this.#behind < STALLED_CHECKS) return false;
    this.#behind = 0;
    return true;
  }
}

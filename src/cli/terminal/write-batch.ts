// Joins small writes to a stream: each write to a pipe is a system call.

/** Characters per write. */
const FULL = 64 * 1024;

/** Text that is written when it is large enough, or when the event loop has nothing else to do. */
export class WriteBatch {
  readonly #write: (text: string) => void;
  #text = '';
  #flushing: NodeJS.Immediate | undefined;

  /** @param write called with the joined texts */
  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  add(text: string): void {
    this.#text += text;
    if (this.#text.length >= FULL) this.flush();
    else this.#flushing ??= setImmediate(() => this.flush());
  }

  /** Writes what is left. Call it at the end. */
  flush(): void {
    clearImmediate(this.#flushing);
    this.#flushing = undefined;
    const text = this.#text;
    this.#text = '';
    if (text !== '') this.#write(text);
  }
}

// Detects from a nats-server's log that JetStream has stopped writing, and waits until the disk has room again.
import { DISK_ROOM_INTERVAL_MS } from '../timing.js';
import { hasDiskRoom } from './disk-room.js';
import { storageFailureIn } from './storage-failure.js';

/** Follows one run of a server. */
export class StorageRepair {
  readonly #directory: string;
  readonly #onFailed: (reason: string) => void;
  /** Resolves when JetStream has stopped writing and the disk has room: the server must be restarted. */
  readonly due: Promise<void>;
  #setDue: () => void = () => undefined;
  #timer: NodeJS.Timeout | undefined;
  #failure: string | undefined;
  #isDue = false;
  #stopped = false;

  /**
   * @param directory JetStream's directory
   * @param onFailed called once, with the server's message
   */
  constructor(directory: string, onFailed: (reason: string) => void) {
    this.#directory = directory;
    this.#onFailed = onFailed;
    this.due = new Promise((resolve) => (this.#setDue = resolve));
  }

  /** Whether {@link due} has resolved. */
  get isDue(): boolean {
    return this.#isDue;
  }

  /** The server's message; undefined: JetStream writes. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** Reads a line of the server's log. */
  see(line: string): void {
    if (this.#failure !== undefined || this.#stopped) return;
    this.#failure = storageFailureIn(line);
    if (this.#failure === undefined) return;
    this.#onFailed(this.#failure);
    this.#next();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #next(): void {
    this.#timer = setTimeout(() => void this.#checkRoom(), DISK_ROOM_INTERVAL_MS);
  }

  async #checkRoom(): Promise<void> {
    const hasRoom = await hasDiskRoom(this.#directory);
    if (this.#stopped) return;
    if (!hasRoom) return this.#next();
    this.#isDue = true;
    this.#setDue();
  }
}

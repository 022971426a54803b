import type { CredsFile } from '../creds/creds-file.js';
import type { FileCredentialSource } from '../creds/file-credential-source.js';
import type { Dialer } from './dialer.js';
import type { ManagedConnection } from './managed-connection.js';

/** What a {@link Rotator} works with. */
export interface RotatorOptions {
  how: 'reconnect' | 'hitless';
  /** The credentials that should be in use. */
  source: FileCredentialSource;
  /** Knows which are, and makes a second connection with those that should be. */
  dialer: Dialer;
  /** How long to wait after a failed attempt, in milliseconds. */
  retryMs: number;
}

/** Takes a connection over to the credentials that should be in use, one attempt at a time. */
export class Rotator {
  readonly #connection: ManagedConnection;
  readonly #options: RotatorOptions;
  #running = false;
  #again: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(connection: ManagedConnection, options: RotatorOptions) {
    this.#connection = connection;
    this.#options = options;
  }

  /** Rotates if other credentials should be in use than are. */
  check(): void {
    const { source, dialer } = this.#options;
    const target = source.current;
    if (this.#stopped || this.#running || target === undefined || target.jwt === dialer.inUse) return;
    this.#running = true;
    clearTimeout(this.#again);
    void this.#rotate(target).finally(() => {
      this.#running = false;
      // the file may have been replaced once more meanwhile
      if (this.#again === undefined) this.check();
    });
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#again);
  }

  async #rotate(target: CredsFile): Promise<void> {
    this.#again = undefined;
    const { source, dialer, retryMs } = this.#options;
    // in an outage there is nothing to move from: the reconnect that is under way reads the file itself
    const how = this.#connection.isUp() ? this.#options.how : 'reconnect';
    try {
      if (how === 'hitless') {
        await this.#connection.moveTo(await dialer.second(this.#connection.getServer()));
        // it was closed meanwhile, and went nowhere
        if (this.#connection.isClosed() || this.#connection.isDraining()) return;
        dialer.inUse = target.jwt;
      } else {
        dialer.hurry();
        await this.#connection.renew();
        await this.#reconnected();
      }
      // the file may have been replaced again before the reconnect read it
      const used = [target, source.current].find((creds) => creds?.jwt === dialer.inUse);
      if (used !== undefined) this.#connection.emit({ type: 'rotated', publicKey: used.publicKey, how });
    } catch (error) {
      if (this.#connection.isClosed() || this.#connection.isDraining()) return;
      if (how === 'hitless') this.#connection.emit({ type: 'rotationFailed', error: error as Error });
      this.#again = setTimeout(() => {
        this.#again = undefined;
        this.check();
      }, retryMs).unref();
    }
  }

  /** Resolves when the connection is up again; the client goes on trying by itself. @throws when it is closed */
  async #reconnected(): Promise<void> {
    for (;;) {
      try {
        return await this.#connection.flush();
      } catch (error) {
        if (this.#connection.isClosed()) throw error;
        // it was cut again in that instant: `flush` waits for the next reconnect
      }
    }
  }
}

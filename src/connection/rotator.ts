// Rotates a connection to new credentials, with retries.
import type { CredsFile } from '../creds/creds-file.js';
import type { CredentialSource } from '../creds/credential-holder.js';
import { planRotation } from './connection-state.js';
import { diagnose, type DiagnosedConnection } from './diagnostics.js';
import type { Dialer } from './dialer.js';
import type { ManagedConnection } from './managed-connection.js';

/** The options of a {@link Rotator}. */
export interface RotatorOptions {
  how: 'reconnect' | 'hitless';
  /** The source of the credentials that should be in use. */
  source: CredentialSource;
  /** Knows which credentials are in use, and opens a second connection with new ones. */
  dialer: Dialer;
  /** The pause after a failed attempt, in milliseconds. */
  retryMs: number;
  /** Identifies the connection to listeners that observe all connections. */
  diagnosed: DiagnosedConnection;
}

/** Switches a connection to the credentials that should be in use, one attempt at a time. */
export class Rotator {
  readonly #connection: ManagedConnection;
  readonly #options: RotatorOptions;
  #running = false;
  #retryTimer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(connection: ManagedConnection, options: RotatorOptions) {
    this.#connection = connection;
    this.#options = options;
  }

  /** Rotates if the credentials in use are not those that should be. */
  check(): void {
    if (this.#stopped || this.#running) return;
    const { source, dialer } = this.#options;
    const target = source.current;
    const how = planRotation({
      how: this.#options.how,
      up: this.#connection.isUp(),
      target: target?.jwt,
      inUse: dialer.inUse,
    });
    if (target === undefined || how === 'none') return;
    this.#running = true;
    clearTimeout(this.#retryTimer);
    void this.#rotate(target, how).finally(() => {
      this.#running = false;
      // the file may have been replaced again in the meantime
      if (this.#retryTimer === undefined) this.check();
    });
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#retryTimer);
  }

  async #rotate(target: CredsFile, how: 'reconnect' | 'hitless'): Promise<void> {
    this.#retryTimer = undefined;
    const { source, dialer, retryMs, diagnosed } = this.#options;
    const startedAt = performance.now();
    const report = (publicKey: string, failure?: { error: Error }) =>
      diagnose('rotation', {
        ...{ ...diagnosed, how, publicKey, durationMs: performance.now() - startedAt },
        ...failure,
      });
    try {
      if (how === 'hitless') {
        await this.#connection.moveTo(await dialer.second(this.#connection.getServer()));
        // the connection was closed in the meantime
        if (this.#connection.isClosed() || this.#connection.isDraining()) return;
        dialer.inUse = target.jwt;
      } else {
        dialer.hurry();
        await this.#connection.renew();
        await this.#reconnected();
      }
      // the file may have been replaced again before the reconnect read it
      const used = [target, source.current].find((creds) => creds?.jwt === dialer.inUse);
      if (used === undefined) return;
      report(used.publicKey);
      this.#connection.emit({ type: 'rotated', publicKey: used.publicKey, how });
    } catch (error) {
      if (this.#connection.isClosed() || this.#connection.isDraining()) return;
      report(target.publicKey, { error: error as Error });
      if (how === 'hitless') this.#connection.emit({ type: 'rotationFailed', error: error as Error });
      this.#retryTimer = setTimeout(() => {
        this.#retryTimer = undefined;
        this.check();
      }, retryMs).unref();
    }
  }

  /** Resolves when the connection is up again; the client continues to retry by itself. @throws when it is closed */
  async #reconnected(): Promise<void> {
    for (;;) {
      try {
        return await this.#connection.flush();
      } catch (error) {
        if (this.#connection.isClosed()) throw error;
        // cut again at once: `flush` waits for the next reconnect
      }
    }
  }
}

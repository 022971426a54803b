// The NatsConnection interface over a managed connection.
import type { NatsConnection, ServerInfo } from '@nats-io/transport-node';
import { guarded } from '../async/guarded.js';
import type { ManagedSubscription } from './managed-subscription.js';

/** The private members of a connection that the client's packages use. */
interface ClientInternals {
  options: unknown;
  features: unknown;
  protocol: unknown;
  context(): Promise<unknown>;
  getServerVersion(): unknown;
}

interface CloseListener {
  connectionClosedCallback(error: Error | undefined): void;
}

/** The client's side of a connection, plus the internals that jetstream, kv and services use. */
export abstract class ClientFacade {
  readonly #closeListeners = new Set<CloseListener>();

  /**
   * The client connection in use. Not named `nc`: the KV and object store packages would mistake this for a JetStream
   * client.
   */
  protected abstract get inUse(): NatsConnection;

  /** The server's INFO; undefined until it is known, although the client's type forbids that. */
  get info(): ServerInfo {
    return this.inUse.info as ServerInfo;
  }

  getServer(): string {
    return this.inUse.getServer();
  }

  rtt(): Promise<number> {
    return this.inUse.rtt();
  }

  /** @internal */
  get options(): unknown {
    return this.#inner.options;
  }

  /** @internal */
  get features(): unknown {
    return this.#inner.features;
  }

  /** @internal */
  get protocol(): unknown {
    return this.#inner.protocol;
  }

  /** @internal */
  context(): Promise<unknown> {
    return this.#inner.context();
  }

  /** @internal */
  getServerVersion(): unknown {
    return this.#inner.getServerVersion();
  }

  /** @internal A push consumer restarts under another inbox. */
  _resub(subscription: ManagedSubscription, subject: string, max?: number): void {
    subscription.resubscribe(subject, max);
  }

  /** @internal */
  addCloseListener(listener: CloseListener): void {
    this.#closeListeners.add(listener);
  }

  /** @internal */
  removeCloseListener(listener: CloseListener): void {
    this.#closeListeners.delete(listener);
  }

  /** Calls the close listeners. */
  protected notifyClosed(error: Error | undefined): void {
    for (const listener of this.#closeListeners) {
      guarded(
        () => listener.connectionClosedCallback(error),
        () => undefined,
      )();
    }
  }

  get #inner(): ClientInternals {
    return this.inUse as unknown as ClientInternals;
  }
}

// Tells when a connection was interrupted and is back.
import type { NatsConnection } from '@nats-io/nats-core';

/** A wait for the next reconnect. */
export interface NextReconnect {
  /** Resolves when the connection is back after an interruption: requests and answers in transit were lost. */
  reconnected: Promise<void>;
  /** Call it when that no longer matters. */
  stop(): void;
}

/** The reconnects of a connection, followed once for all requests over it. */
export class Reconnects {
  readonly #nc: Pick<NatsConnection, 'status'>;
  readonly #waiting = new Set<() => void>();
  #isFollowing = false;

  constructor(nc: Pick<NatsConnection, 'status'>) {
    this.#nc = nc;
  }

  next(): NextReconnect {
    if (!this.#isFollowing) {
      this.#isFollowing = true;
      // a request over a connection that cannot be followed reports why
      this.#follow().catch(() => undefined);
    }
    let onReconnect: () => void = () => undefined;
    const reconnected = new Promise<void>((resolve) => (onReconnect = resolve));
    this.#waiting.add(onReconnect);
    return { reconnected, stop: () => void this.#waiting.delete(onReconnect) };
  }

  /** Ends with the connection. */
  async #follow(): Promise<void> {
    for await (const { type } of this.#nc.status()) {
      if (type !== 'reconnect') continue;
      for (const onReconnect of this.#waiting) onReconnect();
      this.#waiting.clear();
    }
  }
}

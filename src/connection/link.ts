// One client connection of a ManagedConnection, and its pending work.
import type { NatsConnection, Status } from '@nats-io/transport-node';

/** One client connection of a `ManagedConnection`, and its state: whether it is up, and its pending work. */
export class Link {
  readonly nc: NatsConnection;
  /** Number of requests that await a reply on this connection. */
  #requests = 0;
  /** Number of delivered messages with a reply subject that are still unanswered. */
  #unanswered = 0;
  #up: boolean;
  #idle: (() => void)[] = [];
  /** Another connection has replaced this one: its events are no longer forwarded. */
  retired = false;

  /**
   * @param onStatus called with each status of the client, after `up` was updated
   */
  constructor(nc: NatsConnection, onStatus: (link: Link, status: Status) => void) {
    this.nc = nc;
    // a client that is passed in during an outage has no server
    this.#up = nc.info !== undefined;
    void this.#follow(onStatus);
  }

  /** Whether the connection is known to reach its server. */
  get up(): boolean {
    return this.#up;
  }

  /** Marks the connection as cut on purpose; the next `reconnect` marks it as up again. */
  setDown(): void {
    this.#up = false;
  }

  /** Counts a request until `settled` settles. */
  trackRequest(settled: Promise<unknown>): void {
    this.#requests += 1;
    const done = (): void => {
      this.#requests -= 1;
      this.#checkIdle();
    };
    settled.then(done, done);
  }

  messageDelivered(): void {
    this.#unanswered += 1;
  }

  messageAnswered(): void {
    this.#unanswered -= 1;
    this.#checkIdle();
  }

  /** Resolves when nothing is pending, or after `timeoutMs`. */
  async whenIdle(timeoutMs: number): Promise<void> {
    if (this.#isIdle()) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      this.#idle.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  #isIdle(): boolean {
    return this.#requests <= 0 && this.#unanswered <= 0;
  }

  #checkIdle(): void {
    if (!this.#isIdle()) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  async #follow(onStatus: (link: Link, status: Status) => void): Promise<void> {
    for await (const status of this.nc.status()) {
      if (status.type === 'disconnect') this.#up = false;
      if (status.type === 'reconnect') void this.#confirm(onStatus, status);
      else onStatus(this, status);
    }
  }

  /**
   * A `reconnect` may be stale when it arrives: the socket may already be closed again. A round trip proves that it is
   * open, and code right after its answer runs before the socket's next event.
   */
  async #confirm(onStatus: (link: Link, status: Status) => void, status: Status): Promise<void> {
    try {
      await this.nc.rtt();
    } catch {
      return; // closed again: another `disconnect` and another `reconnect` will follow
    }
    this.#up = true;
    onStatus(this, status);
  }
}

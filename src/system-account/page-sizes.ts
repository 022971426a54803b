// The maximum sizes of the connection lists that are requested from servers.

/** The maximum bytes of an answer over a shared connection: servers cut one that lets tens of megabytes pile up. */
export const MAX_PAGE_BYTES = 8 * 1024 * 1024;

/** The maximum over a separate connection: well below the default `max_pending` of a server, 64 MiB. */
const MAX_DIRECT_PAGE_BYTES = 24 * 1024 * 1024;

/** A page of this size arrives from any server. */
const MIN_PAGE_BYTES = 1024 * 1024;

/** The maximum number of servers to remember: a server gets a new ID when it restarts. */
const MAX_SERVERS = 64;

/**
 * The sizes of pages over direct connections. Large ones are much cheaper for a server (docs/nats-facts.md, 37), but a
 * server with a low `max_pending` closes the connection; its page size is then halved.
 */
export class PageSizes {
  readonly #bytes = new Map<string, number>();

  /** The maximum bytes of an answer of this server. @param server its ID (`N…`) */
  of(server: string): number {
    return this.#bytes.get(server) ?? MAX_DIRECT_PAGE_BYTES;
  }

  /** Halves the page size of a server, because a page did not arrive. */
  halve(server: string): void {
    const next = Math.max(MIN_PAGE_BYTES, this.of(server) / 2);
    if (this.#bytes.size >= MAX_SERVERS) this.#bytes.clear();
    this.#bytes.set(server, next);
  }
}

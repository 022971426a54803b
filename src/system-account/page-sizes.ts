// How large the lists of connections may be that servers are asked for.

/** The most bytes of an answer over a connection with other traffic: servers cut one that lets tens of millions pile up. */
export const MAX_PAGE_BYTES = 8 * 1024 * 1024;

/** The most over a connection of its own: well below the 64 MiB that a server lets pile up by default (`max_pending`). */
const MAX_DIRECT_PAGE_BYTES = 24 * 1024 * 1024;

/** A page of this size arrives from any server. */
const MIN_PAGE_BYTES = 1024 * 1024;

/** Servers get new IDs when they restart: the sizes of the last ones are kept. */
const MAX_SERVERS = 64;

/**
 * The sizes of pages over direct connections. Large ones are much cheaper for a server (docs/nats-facts.md, 37), but a
 * server with a low `max_pending` closes the connection: its pages are halved then.
 */
export class PageSizes {
  readonly #bytes = new Map<string, number>();

  /** The most bytes to ask a server for. @param server its ID (`N…`) */
  of(server: string): number {
    return this.#bytes.get(server) ?? MAX_DIRECT_PAGE_BYTES;
  }

  /** A page of this server did not arrive. */
  halve(server: string): void {
    const next = Math.max(MIN_PAGE_BYTES, this.of(server) / 2);
    if (this.#bytes.size >= MAX_SERVERS) this.#bytes.clear();
    this.#bytes.set(server, next);
  }
}

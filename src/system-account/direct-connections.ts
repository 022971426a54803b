// Connections to each server of a cluster, for use while a long request blocks the main one.
import type { NatsConnection } from '@nats-io/transport-node';
import { parseServerUrls } from '../connection/server-urls.js';
import { sleepUnref } from '../async/sleep.js';
import { UrgentFirst } from '../async/urgent-first.js';
import { DIRECT_INTERVAL_MS, DIRECT_REOPEN_MS, DIRECT_RETRY_MAX_MS } from '../timing.js';

/** How much longer each pause is before a lost connection is opened again. */
const REOPEN_FACTOR = 1.3;

/** The maximum number of addresses to try: a cluster has few servers, and a hostile one may announce thousands. */
const MAX_ADDRESSES = 16;

/** Connects to one URL as a user of the system account, and does not reconnect. */
export type ConnectOne = (url: string) => Promise<NatsConnection>;

/**
 * Connections of the system account to each server of a cluster, opened when they are needed.
 *
 * A server that applies a new account JWT reads nothing from the connection or route that delivered it until it has
 * verified the JWTs of all connections of the account, which takes seconds for thousands of them (docs/nats-facts.md,
 * 40). Requests over other connections of that server are answered meanwhile.
 */
export class DirectConnections {
  /** A server answers the requests of the system account one after the other: a revocation goes before lists. */
  readonly requests = new UrgentFirst();
  readonly #main: NatsConnection;
  readonly #urls: readonly string[];
  readonly #connect: ConnectOne | undefined;
  readonly #byServer = new Map<string, NatsConnection>();
  /** The server at each address that was reached. */
  readonly #serverAt = new Map<string, string>();
  /** The failures in a row of each address, and when it is tried again, by `performance.now()`. */
  readonly #failures = new Map<string, { count: number; retryAt: number }>();
  #opening: Promise<void> | undefined;
  #isReopening = false;
  #settling: { what: string; until: Promise<void> } | undefined;
  #isClosed = false;

  /**
   * @param main a connection to one of the servers
   * @param urls the configured servers
   * @param connect undefined: `main` is the only connection
   */
  constructor(main: NatsConnection, urls: readonly string[], connect?: ConnectOne) {
    this.#main = main;
    this.#urls = urls;
    this.#connect = connect;
  }

  /**
   * Connects to the configured and announced servers, except those with an open connection. Never fails: `over`
   * returns the best available connection.
   */
  open(): Promise<void> {
    return (this.#opening ??= this.#open().finally(() => (this.#opening = undefined)));
  }

  /** Replaces the connections, because their credentials have been replaced. */
  async renew(): Promise<void> {
    await this.#opening;
    const closed = this.#closeAll();
    this.#failures.clear();
    await Promise.all([closed, this.open()]);
  }

  /** Whether there is an open direct connection to this server. @param server its ID (`N…`) */
  has(server: string): boolean {
    return this.#byServer.get(server)?.isClosed() === false;
  }

  /** The connection for requests to a server: a direct one, otherwise the main one. @param server its ID (`N…`) */
  over(server: string): NatsConnection {
    const direct = this.#byServer.get(server);
    return direct === undefined || direct.isClosed() ? this.#main : direct;
  }

  /** Notes that the servers are busy with an account JWT, sent over these connections, until a promise settles. */
  settling(what: string, until: Promise<unknown>): void {
    const before = this.#settling?.what === what ? this.#settling.until : undefined;
    // without their answers, which a push that is repeated for hours would gather
    this.#settling = { what, until: Promise.all([before, until]).then(() => undefined) };
  }

  /**
   * Resolves when the servers are done with the last account JWT. They pass account JWTs on to each other, so an earlier
   * one that is still under way would replace a later one.
   *
   * @param next the account JWT that is sent next: to repeat the last one, nothing is waited for
   */
  async settled(next?: string): Promise<void> {
    if (this.#settling?.what !== next) await this.#settling?.until;
  }

  /** Closes all but the main connection. One that is still being opened is closed as soon as it is open. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#closeAll();
  }

  async #closeAll(): Promise<void> {
    const all = [...this.#byServer.values()];
    this.#byServer.clear();
    await Promise.all(all.map((nc) => nc.close()));
  }

  async #open(): Promise<void> {
    const connect = this.#connect;
    if (connect === undefined || this.#isClosed || this.#main.isClosed()) return;
    const isDue = (url: string) => (this.#failures.get(url)?.retryAt ?? 0) <= performance.now();
    const missing = this.#addresses().filter((url) => !this.has(this.#serverAt.get(url) ?? '') && isDue(url));
    await Promise.all(
      missing.map(async (url) => {
        let nc: NatsConnection;
        try {
          nc = await connect(url);
        } catch {
          // a cluster may announce addresses that are unreachable from here
          const count = (this.#failures.get(url)?.count ?? 0) + 1;
          const pause = this.#serverAt.has(url)
            ? 0
            : Math.min(count * DIRECT_INTERVAL_MS, DIRECT_RETRY_MAX_MS);
          this.#failures.set(url, { count, retryAt: performance.now() + pause });
          return;
        }
        this.#failures.delete(url);
        const id = nc.info?.server_id;
        if (id !== undefined) this.#serverAt.set(url, id);
        if (id === undefined || this.has(id) || this.#isClosed) return nc.close();
        this.#byServer.set(id, nc);
        void nc.closed().then(() => this.#reopen(id, nc));
      }),
    );
  }

  /**
   * A server that restarts accepts these connections before those of its thousands of clients, if they come first:
   * clients wait two seconds or more.
   */
  async #reopen(id: string, lost: NatsConnection): Promise<void> {
    if (this.#byServer.get(id) !== lost || this.#isReopening) return;
    this.#isReopening = true;
    const isAllOpen = () => [...this.#serverAt.values()].every((server) => this.has(server));
    for (let wait = DIRECT_REOPEN_MS; wait < DIRECT_INTERVAL_MS; wait *= REOPEN_FACTOR) {
      await sleepUnref(wait);
      if (this.#isClosed || this.#main.isClosed() || isAllOpen()) break;
      await this.open();
    }
    this.#isReopening = false;
  }

  #addresses(): string[] {
    const scheme = parseServerUrls(this.#urls).some(({ tls }) => tls) ? 'tls' : 'nats';
    const all = [this.#main.getServer(), ...(this.#main.info?.connect_urls ?? []), ...this.#urls];
    const urls = all.map((address) => `${scheme}://${address.replace(/^[a-z]+:\/\//i, '')}`);
    return [...new Set(urls)].slice(0, MAX_ADDRESSES);
  }
}

// Keeps presence, and writes it for the other masters.
import { withNewestConnections } from '../../protocol/records/newest-connections.js';
import type { Presence } from '../../protocol/records/presence.js';
import { isPeelId } from '../../permissions/peel-id.js';
import type { KvMirror } from '../store/kv-mirror.js';
import type { MasterLogger } from '../logger.js';
import { connectionKey, type UserConnection } from './system-events.js';
import { PRESENCE_FIRST_RETRY_MS, PRESENCE_GATHER_MS, PRESENCE_MAX_RETRY_MS } from '../../timing.js';

/** Writes under way at once. */
const IN_FLIGHT = 32;

/** Who is connected, in memory, and written down for the other masters: only the one that has the lease has one. */
export class PresenceKeeper {
  readonly #presence: KvMirror<Presence>;
  readonly #logger: MasterLogger;
  readonly #connections = new Map<string, UserConnection>();
  readonly #byName = new Map<string, Set<string>>();
  readonly #lastSeen = new Map<string, string>();
  readonly #dirty = new Set<string>();
  /** Could not be written. */
  readonly #failed = new Set<string>();
  #retrying: NodeJS.Timeout | undefined;
  #retryMs = PRESENCE_FIRST_RETRY_MS;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> | undefined;
  #stopped = false;

  constructor(presence: KvMirror<Presence>, logger: MasterLogger) {
    this.#presence = presence;
    this.#logger = logger;
  }

  get(of: { server: string; cid: number }): UserConnection | undefined {
    return this.#connections.get(connectionKey(of));
  }

  all(): IterableIterator<UserConnection> {
    return this.#connections.values();
  }

  /** The connections of the peel of this name. */
  of(name: string): UserConnection[] {
    return [...(this.#byName.get(name) ?? [])].flatMap((key) => this.#connections.get(key) ?? []);
  }

  /** How many connections the peel of this name has. */
  countOf(name: string): number {
    return this.#byName.get(name)?.size ?? 0;
  }

  add(connection: UserConnection): void {
    const key = connectionKey(connection);
    this.#connections.set(key, connection);
    const { name } = connection;
    if (!isPeelId(name)) return;
    const keys = this.#byName.get(name) ?? new Set();
    this.#byName.set(name, keys.add(key));
    this.#seen(name);
  }

  remove(of: { server: string; cid: number }): UserConnection | undefined {
    const key = connectionKey(of);
    const connection = this.#connections.get(key);
    if (connection === undefined) return undefined;
    this.#connections.delete(key);
    const { name } = connection;
    const keys = this.#byName.get(name);
    keys?.delete(key);
    if (keys?.size === 0) this.#byName.delete(name);
    if (isPeelId(name)) this.#seen(name);
    return connection;
  }

  /** After a take-over: what is written down of peels that have gone in the meantime is not true any more. */
  correct(): void {
    for (const [name, { connections }] of this.#presence.entries()) {
      if (connections.length > 0 && !this.#byName.has(name)) this.#seen(name);
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#retrying);
    await this.#writing;
  }

  #seen(name: string): void {
    this.#lastSeen.set(name, new Date().toISOString());
    this.#dirty.add(name);
    this.#arm();
  }

  #arm(): void {
    if (this.#timer !== undefined || this.#stopped || this.#dirty.size === 0) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#writing = this.#flush().finally(() => {
        this.#writing = undefined;
        this.#arm();
      });
    }, PRESENCE_GATHER_MS);
  }

  async #flush(): Promise<void> {
    if (this.#writing !== undefined) await this.#writing;
    const names = [...this.#dirty];
    this.#dirty.clear();
    const next = names.values();
    const worker = async () => {
      for (const name of next) {
        if (this.#stopped) return;
        await this.#write(name);
      }
    };
    await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
  }

  async #write(name: string): Promise<void> {
    const presence = withNewestConnections({
      lastSeen: this.#lastSeen.get(name) ?? new Date().toISOString(),
      connections: this.of(name).map(({ server, cid, serverName, publicKey, host, since }) => ({
        server,
        cid,
        publicKey,
        since,
        ...(serverName !== undefined && { serverName }),
        ...(host !== undefined && { host }),
      })),
    });
    try {
      await this.#presence.change(name, () => presence);
      this.#failed.delete(name);
      if (this.#failed.size === 0) this.#retryMs = PRESENCE_FIRST_RETRY_MS;
    } catch (error) {
      if (this.#stopped) return;
      // while others wait to be tried again, the same is true of this one
      if (this.#failed.size === 0 && this.#retryMs === PRESENCE_FIRST_RETRY_MS) {
        this.#logger.warn(
          { peelId: name, error: String(error) },
          'presence cannot be written: retrying with backoff',
        );
      }
      this.#failed.add(name);
      this.#retryLater();
    }
  }

  #retryLater(): void {
    if (this.#retrying !== undefined || this.#stopped) return;
    this.#retrying = setTimeout(() => {
      this.#retrying = undefined;
      for (const name of this.#failed) this.#dirty.add(name);
      this.#arm();
    }, this.#retryMs).unref();
    this.#retryMs = Math.min(PRESENCE_MAX_RETRY_MS, this.#retryMs * 2);
  }
}

// A lease in KV: one master at a time does the background work.
import type { KV } from '@nats-io/kv';
import * as v from 'valibot';
import { encodeJson, parseJson } from '../../protocol/messages.js';
import type { ConnectionId } from '../../system-account/kick.js';
import type { MasterLogger } from '../logger.js';
import {
  LEASE_GIVE_UP_MS,
  LEASE_JOIN_POLL_MS,
  LEASE_LAPSE_MS,
  LEASE_QUIET_MS,
  LEASE_RENEW_INTERVAL_MS,
  LEASE_WRITE_TIMEOUT_MS,
} from '../../timing.js';

/** The key of the lease of the master that follows the servers' events, in the bucket of challenges. */
export const WATCH_LEASE_KEY = 'lease.watch';

/** The options of a {@link Lease}. */
export interface LeaseOptions {
  bucket: KV;
  /** The lease's key in the bucket. */
  key: string;
  /** The ID of this participant. */
  id: string;
  /** Its display name, stored with the ID. */
  name: string;
  logger: MasterLogger;
  /** The connection of this process, stored with the ID; undefined: unknown. */
  connection: () => ConnectionId | undefined;
  /** Whether a connection has ended, for certain: its process holds the lease no longer. */
  isGone: (connection: ConnectionId) => Promise<boolean>;
  onTaken: () => void;
  onLost: () => void;
}

/** An entry of the bucket. Entries of older masters have no connection. */
const entrySchema = v.object({
  holder: v.string(),
  connection: v.optional(v.object({ server: v.string(), cid: v.number() })),
});

/** The known entry. */
interface Seen {
  revision: number;
  at: number;
  holder: string | undefined;
  connection?: ConnectionId | undefined;
  /** It was written since this process first read it, so its holder is alive. */
  isRenewed: boolean;
}

/**
 * Work that one of several processes does at a time. The process that changes the key by compare-and-set holds the
 * lease as long as it keeps changing it; the others watch for changes, each by its own clock, so clocks need not agree.
 * The lease of a process whose connection has ended is taken as soon as it missed a renewal.
 */
export class Lease {
  readonly #options: LeaseOptions;
  #seen: Seen | undefined;
  /** The revision that a failed write named: another process may have written a newer one. */
  #lostRevision: number | undefined;
  #renewedAt: number | undefined;
  /** The revision of the last confirmed write. */
  #written = 0;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  #checking: Promise<void> = Promise.resolve();

  constructor(options: LeaseOptions) {
    this.#options = options;
    this.#schedule(0);
  }

  /**
   * Whether this process believes that it holds the lease. While JetStream does not respond, nobody else can take it
   * either: it is given up only once another process holds it, or after a long time without an answer. So two processes
   * may overlap for a short time.
   */
  get held(): boolean {
    return this.#renewedAt !== undefined && performance.now() - this.#renewedAt < LEASE_GIVE_UP_MS;
  }

  /**
   * The known holder. An entry that already existed at the first read may be from a killed process: its holder counts
   * once it has renewed it.
   */
  get holder(): string | undefined {
    if (this.held) return this.#options.id;
    const seen = this.#seen;
    if (seen === undefined || !seen.isRenewed) return undefined;
    return performance.now() - seen.at < LEASE_LAPSE_MS ? seen.holder : undefined;
  }

  /** Releases the lease, so that the next process gets it at once. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#checking;
    const { bucket, key } = this.#options;
    const revision = this.#seen?.revision;
    const held = this.held;
    this.#lose();
    if (!held || revision === undefined) return;
    // another process may hold it by now; then there is nothing to release
    await bucket.delete(key, { previousSeq: revision }).catch(() => undefined);
  }

  #schedule(ms: number): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => {
      // a starting master is not ready until it knows whether another one holds the lease
      this.#checking = this.#check().then((isKnown) =>
        this.#schedule(isKnown ? LEASE_RENEW_INTERVAL_MS : LEASE_JOIN_POLL_MS),
      );
    }, ms);
    this.#timer.unref();
  }

  /** @returns whether the next check can wait for the usual interval */
  async #check(): Promise<boolean> {
    const { bucket, key, id, logger } = this.#options;
    try {
      if (!this.held) this.#lose();
      else if (this.#seen !== undefined) return await this.#write(this.#seen.revision);
      const entry = await bucket.get(key);
      const now = performance.now();
      // the answer of a lagging replica
      if (this.held && entry !== null && entry.revision < this.#written) return false;
      if (entry === null || entry.operation !== 'PUT') return await this.#write(entry?.revision ?? 0);
      const { revision } = entry;
      if (revision !== this.#seen?.revision) {
        const parsed = v.safeParse(entrySchema, parseJson(entry.string()));
        const { holder, connection } = parsed.success ? parsed.output : {};
        // the answer to a write was late or lost, and nobody took it meanwhile
        if (holder === id) return await this.#write(revision);
        this.#lose();
        const isRenewed = this.#seen !== undefined || revision > (this.#lostRevision ?? Infinity);
        this.#seen = { revision, at: now, holder, connection, isRenewed };
        return isRenewed;
      }
      if (await this.#hasLapsed(this.#seen, now)) return await this.#write(revision);
      return this.#seen.isRenewed;
    } catch (error) {
      logger.debug({ error: String(error), id }, 'cannot read the lease');
      if (!this.held) this.#lose();
      return true;
    }
  }

  async #hasLapsed({ at, connection }: Seen, now: number): Promise<boolean> {
    const silentMs = now - at;
    if (silentMs > LEASE_LAPSE_MS) return true;
    if (silentMs <= LEASE_QUIET_MS || connection === undefined) return false;
    return this.#options.isGone(connection);
  }

  async #write(revision: number): Promise<boolean> {
    const { bucket, key, id, name } = this.#options;
    const before = performance.now();
    const had = this.#renewedAt !== undefined;
    try {
      const data = encodeJson({ holder: id, name, connection: this.#options.connection() });
      const written = await bucket.put(key, data, { previousSeq: revision, timeout: LEASE_WRITE_TIMEOUT_MS });
      this.#seen = { revision: written, at: performance.now(), holder: id, isRenewed: true };
      // counted from before the request: it was certainly not written earlier
      this.#renewedAt = before;
      this.#written = written;
    } catch {
      // another process was faster, or the answer is late or lost: the next check reads the entry
      this.#seen = undefined;
      this.#lostRevision = revision;
      return false;
    }
    if (!had) this.#options.onTaken();
    return true;
  }

  #lose(): void {
    if (this.#renewedAt === undefined) return;
    this.#renewedAt = undefined;
    this.#options.onLost();
  }
}

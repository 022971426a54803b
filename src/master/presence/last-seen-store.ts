// Stores last-seen times: many peels per write, and a bounded number of writes.
import { eachAtOnce } from '../../async/each-at-once.js';
import * as v from 'valibot';
import { isPeelId } from '../../permissions/peel-id.js';
import { bucketStream, PRESENCE_BUCKET } from '../../permissions/names.js';
import { encodeJson, parseJson } from '../../protocol/messages.js';
import { presenceSchema } from '../../protocol/records/presence.js';
import { errorMessage } from '../../text/error-message.js';
import {
  LAST_SEEN_CLOSE_TIMEOUT_MS,
  LAST_SEEN_GATHER_MS,
  LAST_SEEN_WRITE_INTERVAL_MS,
  PRESENCE_FIRST_RETRY_MS,
  PRESENCE_MAX_RETRY_MS,
} from '../../timing.js';
import type { MasterLogger } from '../logger.js';
import { readStream } from '../store/read-stream.js';
import type { Store } from '../store/store.js';
import {
  encodeShard,
  FOLDED_KEY,
  SHARD_PREFIX,
  shardKey,
  shardOf,
  shardSchema,
  shardsFor,
} from './last-seen-shards.js';
import type { PresenceView } from './presence-view.js';

/** Concurrent writes when a master stops. */
const IN_FLIGHT = 16;

/** The dependencies of a {@link LastSeenStore}. */
export interface LastSeenParts {
  store: Pick<Store, 'js' | 'jsm' | 'presence'>;
  view: PresenceView;
  logger: MasterLogger;
}

/**
 * Last-seen times in JetStream, for a fleet whose masters were all down for a while. Every master reads them once; the
 * watching master writes them.
 */
export class LastSeenStore {
  readonly #parts: LastSeenParts;
  /** How many values there are. */
  #count = 1;
  /** Peels by value; built on first use. */
  #shards: Map<number, Set<string>> | undefined;
  readonly #dirty = new Set<number>();
  /** Peels that were stored as connected, with the stored time. */
  readonly #wereUp = new Map<string, number>();
  /** How far the values of earlier versions have been read, if that is not stored yet. */
  #folded: number | undefined;
  #isLoaded = false;
  #isSettled = false;
  #stopListening: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #loading: NodeJS.Timeout | undefined;
  #retryMs = PRESENCE_FIRST_RETRY_MS;
  #isWriting = false;
  #closed = false;

  constructor(parts: LastSeenParts) {
    this.#parts = parts;
  }

  /** Reads the stored times in the background; retries with backoff if JetStream does not answer. */
  load(retryMs = PRESENCE_FIRST_RETRY_MS): void {
    this.#load().then(
      () => {
        this.#isLoaded = true;
        this.#correct();
        this.#schedule(LAST_SEEN_GATHER_MS);
      },
      (error: unknown) => {
        if (this.#closed) return;
        this.#parts.logger.debug({ error: errorMessage(error) }, 'cannot read the last-seen times of peels');
        const next = Math.min(PRESENCE_MAX_RETRY_MS, retryMs * 2);
        this.#loading = setTimeout(() => this.load(next), retryMs).unref();
      },
    );
  }

  /** This master watches now: it stores changes from now on. */
  begin(): void {
    this.#stopListening ??= this.#parts.view.onChange((peelId) => {
      this.#grow();
      const shard = shardOf(peelId, this.#count);
      if (this.#shards !== undefined) addTo(this.#shards, shard, peelId);
      this.#dirty.add(shard);
      this.#schedule(LAST_SEEN_GATHER_MS);
    });
  }

  /** All connections have been read: peels that are no longer connected were last seen now. */
  settled(): void {
    this.#isSettled = true;
    this.#correct();
  }

  /** This master no longer watches: another one stores changes. */
  end(): void {
    this.#stopListening?.();
    this.#stopListening = undefined;
    this.#isSettled = false;
    this.#shards = undefined;
    this.#dirty.clear();
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Stores the remaining changes within a limited time, and stops. */
  async close(): Promise<void> {
    const deadline = performance.now() + LAST_SEEN_CLOSE_TIMEOUT_MS;
    clearTimeout(this.#loading);
    clearTimeout(this.#timer);
    if (this.#isLoaded && this.#stopListening !== undefined) {
      await eachAtOnce([...this.#dirty], IN_FLIGHT, async (shard) => {
        if (performance.now() > deadline) return;
        await this.#write(shard, deadline - performance.now()).catch(() => undefined);
      });
    }
    this.#closed = true;
    this.end();
  }

  async #load(): Promise<void> {
    const { store, view } = this.#parts;
    const stream = bucketStream(PRESENCE_BUCKET);
    const keys = `$KV.${PRESENCE_BUCKET}.`;
    let after: number | undefined;
    for await (const { subject, data } of readStream(store, stream, { filter: `${keys}${SHARD_PREFIX}>` })) {
      const parsed = v.safeParse(shardSchema, parseJson(data));
      if (!parsed.success) continue;
      const { up, down, folded } = parsed.output;
      if (subject === keys + FOLDED_KEY) after = folded;
      for (const [peelId, at] of Object.entries(down)) view.recall(peelId, at * 1000);
      for (const [peelId, at] of Object.entries(up)) {
        view.recall(peelId, at * 1000);
        this.#wereUp.set(peelId, at * 1000);
      }
    }
    let newest = 0;
    let hasLegacy = false;
    const query = { filter: `${keys}*`, after, onNewest: (seq: number) => (newest = seq) };
    for await (const { subject, data } of readStream(store, stream, query)) {
      const peelId = subject.slice(keys.length);
      const parsed = v.safeParse(presenceSchema, parseJson(data));
      const at = parsed.success ? Date.parse(parsed.output.lastSeen) : NaN;
      if (!isPeelId(peelId) || !parsed.success || Number.isNaN(at)) continue;
      view.recall(peelId, at);
      if (parsed.output.connections.length > 0) this.#wereUp.set(peelId, at);
      hasLegacy = true;
    }
    if (hasLegacy) this.#touchAll();
    if (newest > (after ?? 0)) this.#folded = newest;
  }

  #correct(): void {
    if (!this.#isLoaded || !this.#isSettled) return;
    const { view } = this.#parts;
    for (const [peelId, at] of this.#wereUp) {
      const seen = view.seen(peelId);
      // otherwise it has a newer time
      if (seen?.count === 0 && seen.at === at) view.set(peelId, [], 0, Date.now());
    }
    this.#wereUp.clear();
  }

  #schedule(ms: number): void {
    const isToWrite = this.#dirty.size > 0 || this.#folded !== undefined;
    if (this.#stopListening === undefined || this.#closed || !isToWrite) return;
    if (!this.#isLoaded || !this.#isSettled || this.#timer !== undefined || this.#isWriting) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#writeNext();
    }, ms).unref();
  }

  async #writeNext(): Promise<void> {
    this.#isWriting = true;
    let pause = LAST_SEEN_WRITE_INTERVAL_MS;
    const [shard] = this.#dirty;
    try {
      if (shard !== undefined) await this.#write(shard);
      else await this.#writeFolded();
      this.#retryMs = PRESENCE_FIRST_RETRY_MS;
    } catch (error) {
      if (this.#retryMs === PRESENCE_FIRST_RETRY_MS) {
        this.#parts.logger.warn(
          { error: errorMessage(error) },
          'cannot store the last-seen times of peels; retrying with backoff',
        );
      }
      pause = this.#retryMs;
      this.#retryMs = Math.min(PRESENCE_MAX_RETRY_MS, this.#retryMs * 2);
    } finally {
      this.#isWriting = false;
    }
    this.#schedule(pause);
  }

  async #write(shard: number, timeout?: number): Promise<void> {
    const { view, store } = this.#parts;
    this.#dirty.delete(shard);
    const peels = [...this.#peelsOf(shard)].flatMap((peelId) => {
      const seen = view.seen(peelId);
      return seen === undefined ? [] : [{ peelId, at: seen.at, isConnected: seen.count > 0 }];
    });
    const value = encodeShard(peels, new Date().toISOString());
    try {
      await store.presence.put(
        shardKey(shard, this.#count),
        encodeJson(value),
        timeout === undefined ? {} : { timeout },
      );
    } catch (error) {
      this.#dirty.add(shard);
      throw error;
    }
  }

  /** The values of earlier versions need not be read again: their content is stored in the new form. */
  async #writeFolded(): Promise<void> {
    const folded = this.#folded;
    if (folded === undefined) return;
    const value = { connections: [], lastSeen: new Date().toISOString(), folded };
    await this.#parts.store.presence.put(FOLDED_KEY, encodeJson(value));
    this.#folded = undefined;
  }

  /** Stores the times in more values if the fleet has grown. */
  #grow(): void {
    if (shardsFor(this.#parts.view.size) > this.#count) this.#touchAll();
  }

  #touchAll(): void {
    this.#count = Math.max(this.#count, shardsFor(this.#parts.view.size));
    this.#shards = undefined;
    this.#dirty.clear();
    for (let shard = 0; shard < this.#count; shard += 1) this.#dirty.add(shard);
  }

  #peelsOf(shard: number): Set<string> {
    this.#shards ??= this.#index();
    return this.#shards.get(shard) ?? new Set();
  }

  #index(): Map<number, Set<string>> {
    const shards = new Map<number, Set<string>>();
    for (const peelId of this.#parts.view.peelIds()) addTo(shards, shardOf(peelId, this.#count), peelId);
    return shards;
  }
}

function addTo(shards: Map<number, Set<string>>, shard: number, peelId: string): void {
  const peels = shards.get(shard);
  if (peels === undefined) shards.set(shard, new Set([peelId]));
  else peels.add(peelId);
}

// Stores which connections were judged, so that the next master need not read and judge all of them again.
import { bucketStream, PRESENCE_BUCKET } from '../../permissions/names.js';
import { encodeJson, parseJson } from '../../protocol/messages.js';
import { errorMessage } from '../../text/error-message.js';
import {
  JUDGED_GATHER_MS,
  JUDGED_MAX_WAIT_MS,
  JUDGED_WRITE_INTERVAL_MS,
  PRESENCE_FIRST_RETRY_MS,
  PRESENCE_MAX_RETRY_MS,
} from '../../timing.js';
import type { MasterLogger } from '../logger.js';
import { shardOf, shardsFor } from '../presence/last-seen-shards.js';
import { readStream } from '../store/read-stream.js';
import type { Store } from '../store/store.js';
import {
  decodeJudged,
  encodeJudged,
  RememberedConnections,
  type JudgedConnection,
} from './judged-connections.js';

/** Prefix of the values' keys. A peel ID does not begin with `_`. */
const KEY_PREFIX = '_judged.';
/** A value is written once this share of its peels has changed, and no more change for the moment: a storm is over. */
const CHANGED_SHARE = 1 / 20;
/** A value is written in the middle of a storm if this share of its peels has changed. */
const STORM_SHARE = 1 / 2;

/** The dependencies of a {@link JudgedStore}. */
export interface JudgedStoreParts {
  store: Pick<Store, 'js' | 'jsm' | 'presence'>;
  logger: MasterLogger;
}

/** The judged connections of a watching master. */
export interface JudgedSource {
  /** What they are judged by now. */
  judgedBy: () => string;
  of: (peelId: string) => readonly Omit<JudgedConnection, 'judgedBy'>[];
}

interface Changes {
  count: number;
  /** When the first and the last of them happened, in milliseconds. */
  since: number;
  last: number;
}

/**
 * The judged connections of peels in JetStream: those of up to about a thousand peels in one value. The watching master
 * writes them, the next one reads them once. A connection that is missing, or has ended, costs nothing but its judgement.
 *
 * Cost: some hundred bytes per connection. In a storm, a value is written when half of its peels have changed, and at its
 * end; otherwise once per {@link JUDGED_MAX_WAIT_MS} with a change.
 */
export class JudgedStore {
  readonly #parts: JudgedStoreParts;
  #source: JudgedSource | undefined;
  /** Peels by value. */
  #shards = new Map<number, Set<string>>();
  #peels = new Set<string>();
  #count = 1;
  readonly #changes = new Map<number, Changes>();
  #timer: NodeJS.Timeout | undefined;
  #retryMs = PRESENCE_FIRST_RETRY_MS;

  constructor(parts: JudgedStoreParts) {
    this.#parts = parts;
  }

  /** Reads what earlier masters stored. @throws FleetError `ERR_FLEET_STORE`, and errors of JetStream */
  async read(): Promise<RememberedConnections> {
    const remembered = new RememberedConnections();
    const filter = `$KV.${PRESENCE_BUCKET}.${KEY_PREFIX}>`;
    for await (const { data } of readStream(this.#parts.store, bucketStream(PRESENCE_BUCKET), { filter }))
      for (const connection of decodeJudged(parseJson(data))) remembered.add(connection);
    return remembered;
  }

  /** This master watches now: it stores what it judges from now on. */
  begin(source: JudgedSource): void {
    this.#source = source;
  }

  /** This master no longer watches: another one writes. */
  end(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#source = undefined;
    this.#changes.clear();
    this.#shards.clear();
    this.#peels.clear();
  }

  /**
   * Notes that a connection of a peel was judged.
   *
   * @param isStored whether an earlier master has stored it: it is written with others, but not for its own sake
   */
  note(peelId: string, isStored: boolean): void {
    if (this.#source === undefined) return;
    this.#peels.add(peelId);
    if (shardsFor(this.#peels.size) > this.#count) this.#grow();
    const shard = shardOf(peelId, this.#count);
    addTo(this.#shards, shard, peelId);
    if (isStored) return;
    this.#change(shard);
    this.#schedule(JUDGED_GATHER_MS);
  }

  #change(shard: number): void {
    const changes = this.#changes.get(shard);
    const now = performance.now();
    if (changes === undefined) this.#changes.set(shard, { count: 1, since: now, last: now });
    else Object.assign(changes, { count: changes.count + 1, last: now });
  }

  /** Stores them in more values, now that there are more peels. Those that are stored stay valid. */
  #grow(): void {
    this.#count = shardsFor(this.#peels.size);
    this.#shards = new Map();
    for (const peelId of this.#peels) addTo(this.#shards, shardOf(peelId, this.#count), peelId);
    // which of them waited is not known
    if (this.#changes.size === 0) return;
    this.#changes.clear();
    for (const [shard, peels] of this.#shards) for (const _ of peels) this.#change(shard);
  }

  #schedule(ms: number): void {
    if (this.#source === undefined || this.#timer !== undefined || this.#changes.size === 0) return;
    this.#timer = setTimeout(() => void this.#writeNext(), ms).unref();
  }

  async #writeNext(): Promise<void> {
    const shard = this.#nextDue(performance.now());
    let pause = shard === undefined ? JUDGED_GATHER_MS : JUDGED_WRITE_INTERVAL_MS;
    try {
      if (shard !== undefined) {
        await this.#write(shard);
        this.#retryMs = PRESENCE_FIRST_RETRY_MS;
      }
    } catch (error) {
      this.#parts.logger.debug(
        { error: errorMessage(error) },
        'cannot store which connections were judged; retrying with backoff',
      );
      pause = this.#retryMs;
      this.#retryMs = Math.min(PRESENCE_MAX_RETRY_MS, this.#retryMs * 2);
    }
    this.#timer = undefined;
    this.#schedule(pause);
  }

  /** The value that has waited longest, if it is worth a write. */
  #nextDue(now: number): number | undefined {
    for (const [shard, { count, since, last }] of this.#changes) {
      const share = count / (this.#shards.get(shard)?.size ?? 1);
      const isStormOver = share >= CHANGED_SHARE && now - last >= JUDGED_GATHER_MS;
      const isMuch = share >= STORM_SHARE && now - since >= JUDGED_GATHER_MS;
      if (isStormOver || isMuch || now - since >= JUDGED_MAX_WAIT_MS) return shard;
    }
    return undefined;
  }

  async #write(shard: number): Promise<void> {
    const source = this.#source;
    if (source === undefined) return;
    this.#changes.delete(shard);
    const connections = [...(this.#shards.get(shard) ?? [])].flatMap((peelId) => source.of(peelId));
    try {
      const key = `${KEY_PREFIX}${this.#count}.${shard}`;
      await this.#parts.store.presence.put(key, encodeJson(encodeJudged(connections, source.judgedBy())));
    } catch (error) {
      this.#change(shard);
      throw error;
    }
  }
}

function addTo(shards: Map<number, Set<string>>, shard: number, peelId: string): void {
  const peels = shards.get(shard);
  if (peels === undefined) shards.set(shard, new Set([peelId]));
  else peels.add(peelId);
}

// An in-memory mirror of a KV bucket that survives outages.
import type { KV, KvWatchEntry } from '@nats-io/kv';
import type { QueuedIterator } from '@nats-io/nats-core';
import * as v from 'valibot';
import { FleetError } from '../../errors.js';
import { encodeJson, issueText, parseJson } from '../../protocol/messages.js';
import type { MasterLogger } from '../logger.js';
import { KeyedMutex } from '../../async/keyed-mutex.js';
import { sleep, sleepUnref } from '../../async/sleep.js';
import { compareAndSet } from './compare-and-set.js';
import { HeldValues, type Held, type ValueChange } from './held-values.js';
import { withStoreRetries } from './store-retries.js';
import { WatchProgress } from './watch-progress.js';
import { conflictPause, writeStep } from './write-step.js';
import {
  MIRROR_CHECK_INTERVAL_MS,
  MIRROR_MAX_RESTART_MS,
  MIRROR_OPEN_TIMEOUT_MS,
  MIRROR_SILENCE_MS,
  STORE_RETRY_MS,
} from '../../timing.js';

/** The part of a bucket that a mirror uses. */
export type MirrorBucket = Pick<KV, 'get' | 'put' | 'delete' | 'watch' | 'status'>;

/** The bucket of a mirror, and the schema of its values. */
export interface KvMirrorOptions<T> {
  bucket: MirrorBucket;
  /** The schema of the values. */
  schema: v.GenericSchema<unknown, T>;
  logger: MasterLogger;
}

/** A lag of more revisions than this is logged. */
const LONG_LAG = 5_000;

/**
 * An in-memory copy of a bucket of JSON values: reads are free, and it follows other masters' writes. Writes are
 * compare-and-set against the bucket, not against memory.
 */
export class KvMirror<T> {
  readonly #bucket: MirrorBucket;
  readonly #schema: v.GenericSchema<unknown, T>;
  readonly #logger: MasterLogger;
  readonly #held = new HeldValues<T>();
  readonly #listeners = new Set<(key: string, value: T | undefined, before: T | undefined) => void>();
  #iterator: QueuedIterator<KvWatchEntry> | undefined;
  readonly #progress = new WatchProgress();
  readonly #writes = new KeyedMutex();
  /** The values being written, one for each key, and their JSON. */
  readonly #pending = new Map<string, { value: T; data: Uint8Array }>();
  #closed = false;
  #isChecking = false;
  #isRestarting = false;
  #isBehind = false;
  #checking: NodeJS.Timeout | undefined;

  private constructor(options: KvMirrorOptions<T>) {
    this.#bucket = options.bucket;
    this.#schema = options.schema;
    this.#logger = options.logger;
  }

  /** Reads the bucket, and resolves when all of it is in memory. */
  static async open<T>(options: KvMirrorOptions<T>): Promise<KvMirror<T>> {
    const mirror = new KvMirror(options);
    await mirror.#readAll();
    mirror.#checking = setInterval(() => void mirror.#check(), MIRROR_CHECK_INTERVAL_MS);
    mirror.#checking.unref();
    return mirror;
  }

  /** Watches until everything is in memory. Starts over if the server falls silent in the middle. */
  async #readAll(): Promise<void> {
    const deadline = performance.now() + MIRROR_OPEN_TIMEOUT_MS;
    for (;;) {
      const { caughtUp } = await this.#withRetries(() => this.#watch());
      let done = false;
      void caughtUp.then(() => (done = true));
      for (let seen = -1; !done && seen !== this.#progress.last;) {
        seen = this.#progress.last;
        await Promise.race([caughtUp, sleepUnref(MIRROR_SILENCE_MS)]);
      }
      if (done) return;
      if (performance.now() > deadline) {
        throw new FleetError(
          'ERR_FLEET_STORE',
          'JetStream did not return all records of a bucket: try again',
        );
      }
      this.#logger.warn({}, 'JetStream stopped in the middle of a bucket; reading it again');
      this.#progress.reset();
      this.#stopWatch();
    }
  }

  get(key: string): T | undefined {
    return this.#held.get(key)?.value;
  }

  get size(): number {
    return this.#held.size;
  }

  entries(): IterableIterator<[string, T]> {
    return this.#held.entries();
  }

  /** Subscribes to each change, including this master's own. Returns the function that unsubscribes. */
  onChange(listener: (key: string, value: T | undefined, before: T | undefined) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Changes a value by compare-and-set, and retries: `decide` is called again after a concurrent write.
   *
   * @param decide gets the stored value and returns the new one; undefined: no change
   * @returns the current value, and whether this call wrote it
   * @throws errors of `decide`; FleetError `ERR_FLEET_STORE`, `ERR_FLEET_RECORD`
   */
  async change(
    key: string,
    decide: (value: T | undefined) => T | undefined,
  ): Promise<{ value: T | undefined; written: boolean }> {
    // changes of one key run one after the other, so only other masters can conflict
    return this.#writes.run(key, () => this.#change(key, decide));
  }

  async #change(
    key: string,
    decide: (value: T | undefined) => T | undefined,
  ): Promise<{ value: T | undefined; written: boolean }> {
    // the first attempt uses the value in memory, or its absence, which is nearly always current, and saves a read
    let isConfirmed = false;
    let current: Held<T | undefined> | undefined = this.#held.get(key);
    for (let attempts = 0; ; attempts += 1) {
      const isAbsent = current === undefined && !isConfirmed;
      const decided = isAbsent ? decisionOnAbsence(decide) : decide(current?.value);
      const step = writeStep(current, decided, isConfirmed);
      if (step.do === 'leave') return { value: step.value, written: false };
      if (step.do === 'write') {
        const revision = await this.#write(key, step.value, step.revision);
        if (revision !== undefined) {
          this.#notify(key, this.#held.take(key, step.value, revision));
          return { value: step.value, written: true };
        }
        if (attempts > 0) await sleep(Math.random() * conflictPause(attempts));
      }
      current = await this.#read(key);
      isConfirmed = true;
    }
  }

  /** @returns the new revision; undefined if another write came first */
  async #write(key: string, value: T, revision: number): Promise<number | undefined> {
    const data = encodeJson(value);
    this.#pending.set(key, { value, data });
    try {
      return await compareAndSet(this.#bucket, key, data, revision, () => this.#closed);
    } finally {
      this.#pending.delete(key);
    }
  }

  /**
   * Deletes a key. `purge` would need a bucket that allows roll-ups; with a history of 1, it has the same
   * effect.
   */
  async delete(key: string): Promise<void> {
    await this.#bucket.delete(key);
    this.#notify(key, this.#held.drop(key, Infinity));
  }

  /** Reads it from the bucket: it may be newer than the value in memory. */
  async refresh(key: string): Promise<T | undefined> {
    const read = await this.#read(key);
    if (read?.value === undefined) return undefined;
    this.#notify(key, this.#held.take(key, read.value, read.revision));
    return this.get(key);
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#checking);
    this.#iterator?.stop();
  }

  /** A deleted key has a revision, which a write must name, and no value. */
  async #read(key: string): Promise<Held<T | undefined> | undefined> {
    const entry = await this.#withRetries(() => this.#bucket.get(key));
    if (entry === null) return undefined;
    if (entry.operation !== 'PUT') return { value: undefined, revision: entry.revision };
    return { value: this.#parse(key, entry.value), revision: entry.revision };
  }

  #withRetries<R>(act: () => Promise<R>): Promise<R> {
    return withStoreRetries(act, () => this.#closed);
  }

  #parse(key: string, data: Uint8Array): T {
    const parsed = v.safeParse(this.#schema, parseJson(data));
    if (parsed.success) return parsed.output;
    throw new FleetError(
      'ERR_FLEET_RECORD',
      `the value of "${key}" has an unexpected form: ${issueText(parsed.issues)}; a newer version may have written it`,
    );
  }

  /** @returns a promise that resolves when all existing values have been read */
  async #watch(): Promise<{ caughtUp: Promise<void> }> {
    const { last } = this.#progress;
    const resume = last === 0 ? {} : { resumeFromRevision: last + 1 };
    const iterator = await this.#bucket.watch(resume);
    this.#iterator = iterator;
    const { values, streamInfo } = await this.#bucket.status();
    const target = streamInfo.state.last_seq;
    let ready: () => void = () => undefined;
    const caughtUp = new Promise<void>((resolve) => (ready = resolve));
    // after an interruption, do not wait: the values in memory are only slightly stale
    if (values === 0 || this.#progress.last > 0) ready();
    void this.#follow(iterator, target, ready);
    return { caughtUp };
  }

  async #follow(iterator: QueuedIterator<KvWatchEntry>, target: number, ready: () => void): Promise<void> {
    try {
      for await (const entry of iterator) {
        const isCaughtUp = this.#progress.note(entry, target);
        this.#onEntry(entry);
        if (isCaughtUp) ready();
      }
    } catch (error) {
      this.#logger.warn({ error: String(error) }, 'the watch of a bucket ended');
    }
    if (this.#closed || this.#iterator !== iterator) return;
    await this.#restartWatch();
  }

  #onEntry(entry: KvWatchEntry): void {
    const { key, revision } = entry;
    // already known: written or read by this master
    if ((this.#held.get(key)?.revision ?? 0) >= revision) return;
    const { value } = entry;
    // a deletion is empty; only its headers say so, and no others are worth parsing
    if (value.length === 0 && entry.operation !== 'PUT')
      return this.#notify(key, this.#held.drop(key, revision));
    try {
      this.#notify(key, this.#held.take(key, this.#valueOf(key, value), revision));
    } catch (error) {
      // an unreadable record must not hide the others
      this.#logger.error({ key, error: String(error) }, 'skipped an unreadable record');
    }
  }

  /** Does not parse a write of this master, which often comes back before its confirmation. */
  #valueOf(key: string, data: Uint8Array): T {
    const pending = this.#pending.get(key);
    const isOwn = pending !== undefined && Buffer.compare(pending.data, data) === 0;
    return isOwn ? pending.value : this.#parse(key, data);
  }

  #notify(key: string, change: ValueChange<T> | undefined): void {
    if (change === undefined) return;
    for (const listener of this.#listeners) listener(key, change.value, change.before);
  }

  /** Stops the watch without restarting it. */
  #stopWatch(): void {
    const iterator = this.#iterator;
    this.#iterator = undefined;
    iterator?.stop();
  }

  /** Restarts the watch with backoff; one attempt at a time. */
  async #restartWatch(): Promise<void> {
    if (this.#isRestarting) return;
    this.#isRestarting = true;
    try {
      for (let wait = STORE_RETRY_MS; !this.#closed; wait = Math.min(MIRROR_MAX_RESTART_MS, wait * 2)) {
        try {
          await this.#watch();
          return;
        } catch {
          await sleepUnref(wait);
        }
      }
    } finally {
      this.#isRestarting = false;
    }
  }

  /** One check at a time: it may take longer than the interval. */
  async #check(): Promise<void> {
    if (this.#isChecking) return;
    this.#isChecking = true;
    try {
      const { streamInfo } = await this.#bucket.status();
      const { last_seq: last } = streamInfo.state;
      const bucket = streamInfo.config.name;
      const hasStopped = this.#progress.hasStopped(last);
      this.#logBehind(bucket, last - this.#progress.last);
      if (!hasStopped || this.#closed || this.#isRestarting) return;
      this.#logger.warn({ bucket }, 'the watch of a bucket stopped; restarting it');
      this.#stopWatch();
      await this.#restartWatch();
    } catch {
      // JetStream does not respond at the moment: left to the next check
    } finally {
      this.#isChecking = false;
    }
  }

  #logBehind(bucket: string, behind: number): void {
    if (this.#isBehind === behind > LONG_LAG) return;
    this.#isBehind = behind > LONG_LAG;
    if (this.#isBehind) this.#logger.warn({ bucket, behind }, 'overloaded: lagging behind a bucket');
    else this.#logger.info({ bucket }, 'no longer overloaded: caught up with a bucket');
  }
}

/** The decision that creates a value; undefined: none, or it fails, which the value in the bucket may change. */
function decisionOnAbsence<T>(decide: (value: T | undefined) => T | undefined): T | undefined {
  try {
    return decide(undefined);
  } catch {
    return undefined;
  }
}

import { JetStreamApiError } from '@nats-io/jetstream';
import { QueuedIteratorImpl } from '@nats-io/nats-core/internal';
import type { KvEntry, KvWatchEntry } from '@nats-io/kv';
import type { MirrorBucket } from '../../src/master/store/kv-mirror.js';

type Entry = KvWatchEntry & KvEntry;

/**
 * The part of a KV bucket that a master's stores use, in memory, for tests of their decisions. Tests with JetStream are
 * in `test/integration/fleet/`.
 */
export class MemoryBucket {
  /** Errors that the next calls fail with. */
  readonly failures: Error[] = [];
  readonly #entries = new Map<string, Entry>();
  readonly #watches = new Set<QueuedIteratorImpl<KvWatchEntry>>();
  #revision = 0;

  /** Runs before the next put, like a faster master. */
  beforePut: (() => void) | undefined;

  /** The connection for opening a store. */
  get kv(): MirrorBucket {
    return {
      get: async (key: string) => this.#checked(() => this.#entries.get(key) ?? null),
      put: async (key: string, data: Uint8Array | string, options: { previousSeq?: number } = {}) => {
        const before = this.beforePut;
        this.beforePut = undefined;
        before?.();
        return this.#checked(() => {
          const last = this.#entries.get(key)?.revision ?? 0;
          if (options.previousSeq !== undefined && options.previousSeq !== last) throw conflict(last);
          return this.#write(key, 'PUT', Buffer.from(data));
        });
      },
      delete: async (key: string) => this.#checked(() => void this.#write(key, 'DEL', new Uint8Array(0))),
      watch: async () => this.#watch(),
      status: async () => ({
        values: this.#entries.size,
        streamInfo: { state: { last_seq: this.#revision }, config: { name: 'KV_memory' } },
      }),
    } as unknown as MirrorBucket;
  }

  /** Writes a value, like another master. */
  set(key: string, value: unknown): void {
    this.#write(key, 'PUT', Buffer.from(JSON.stringify(value)));
  }

  /** The value of a key. */
  value(key: string): unknown {
    const entry = this.#entries.get(key);
    return entry?.operation === 'PUT' ? JSON.parse(entry.string()) : undefined;
  }

  /** Existing watches receive nothing any more, as after the death of their server. */
  silence(): void {
    this.#watches.clear();
  }

  #checked<T>(act: () => T): T {
    const failure = this.failures.shift();
    if (failure !== undefined) throw failure;
    return act();
  }

  #watch(): QueuedIteratorImpl<KvWatchEntry> {
    const watch = new QueuedIteratorImpl<KvWatchEntry>();
    this.#watches.add(watch);
    for (const entry of this.#entries.values()) watch.push({ ...entry, isUpdate: false } as KvWatchEntry);
    return watch;
  }

  #write(key: string, operation: 'PUT' | 'DEL', value: Uint8Array): number {
    const revision = ++this.#revision;
    const entry = {
      key,
      operation,
      value,
      revision,
      isUpdate: true,
      string: () => Buffer.from(value).toString(),
    };
    this.#entries.set(key, entry as unknown as Entry);
    for (const watch of this.#watches) watch.push(entry as unknown as KvWatchEntry);
    return revision;
  }
}

function conflict(last: number): Error {
  return new JetStreamApiError({ code: 400, err_code: 10_071, description: `wrong last sequence: ${last}` });
}

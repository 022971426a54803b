// Measures the JetStream storage of the servers, in the master that watches.
import type { ZesterConnection } from '../../connection/connect.js';
import { jetStreamStorage } from '../../system-account/jetstream-storage.js';
import { errorMessage } from '../../text/error-message.js';
import { STORAGE_METRICS_INTERVAL_MS, STORAGE_WATCH_POLL_MS } from '../../timing.js';
import type { MasterContext } from '../context.js';

/** More servers than this are not told apart: metrics must stay few. */
const MAX_SERVERS = 100;

type StorageContext = Pick<MasterContext, 'id' | 'watching' | 'metrics' | 'logger'>;

/**
 * Looks when this master begins to watch, then once in {@link STORAGE_METRICS_INTERVAL_MS}, one look at a time. A master that no
 * longer watches forgets what it knew.
 */
export class StorageWatch {
  readonly #context: StorageContext;
  readonly #system: ZesterConnection;
  readonly #timer: NodeJS.Timeout;
  #looking: Promise<void> | undefined;
  #lookedAt = -Infinity;

  constructor(context: StorageContext, system: ZesterConnection) {
    this.#context = context;
    this.#system = system;
    this.#timer = setInterval(() => this.#tick(), STORAGE_WATCH_POLL_MS).unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
  }

  #tick(): void {
    const { id, watching } = this.#context;
    if (this.#looking !== undefined) return;
    if (watching() !== id) {
      if (this.#lookedAt !== -Infinity) this.#set([]);
      this.#lookedAt = -Infinity;
      return;
    }
    if (performance.now() - this.#lookedAt < STORAGE_METRICS_INTERVAL_MS) return;
    this.#lookedAt = performance.now();
    this.#looking = this.#look().finally(() => (this.#looking = undefined));
  }

  async #look(): Promise<void> {
    try {
      this.#set(await jetStreamStorage(this.#system, Infinity));
    } catch (error) {
      const reason = errorMessage(error);
      this.#context.logger.debug({ reason }, 'the JetStream storage of the servers cannot be read; retrying');
    }
  }

  #set(servers: Awaited<ReturnType<typeof jetStreamStorage>>): void {
    const { metrics } = this.#context;
    metrics.storageBytes.reset();
    metrics.storageLimitBytes.reset();
    for (const { server, usedBytes, maxBytes } of servers.slice(0, MAX_SERVERS)) {
      metrics.storageBytes.set({ server }, usedBytes);
      if (maxBytes > 0) metrics.storageLimitBytes.set({ server }, maxBytes);
    }
  }
}

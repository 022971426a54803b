// Measures the JetStream storage of the servers, on the watching master.
import type { ZesterConnection } from '../../connection/connect.js';
import { jetStreamStorage } from '../../system-account/jetstream-storage.js';
import { errorMessage } from '../../text/error-message.js';
import { STORAGE_METRICS_INTERVAL_MS, STORAGE_WATCH_POLL_MS } from '../../timing.js';
import type { MasterContext } from '../context.js';

/** The maximum number of servers with their own metrics. */
const MAX_SERVERS = 100;

type StorageContext = Pick<MasterContext, 'id' | 'watching' | 'metrics' | 'logger'>;

/**
 * Checks the storage when this master begins to watch, then every {@link STORAGE_METRICS_INTERVAL_MS}, one check at a
 * time. When the master stops watching, resets the metrics.
 */
export class StorageWatch {
  readonly #context: StorageContext;
  readonly #system: ZesterConnection;
  readonly #timer: NodeJS.Timeout;
  #checking: Promise<void> | undefined;
  #checkedAt = -Infinity;

  constructor(context: StorageContext, system: ZesterConnection) {
    this.#context = context;
    this.#system = system;
    this.#timer = setInterval(() => this.#tick(), STORAGE_WATCH_POLL_MS).unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#checking;
  }

  #tick(): void {
    const { id, watching } = this.#context;
    if (this.#checking !== undefined) return;
    if (watching() !== id) {
      if (this.#checkedAt !== -Infinity) this.#set([]);
      this.#checkedAt = -Infinity;
      return;
    }
    if (performance.now() - this.#checkedAt < STORAGE_METRICS_INTERVAL_MS) return;
    this.#checkedAt = performance.now();
    this.#checking = this.#check().finally(() => (this.#checking = undefined));
  }

  async #check(): Promise<void> {
    try {
      this.#set(await jetStreamStorage(this.#system, Infinity));
    } catch (error) {
      const reason = errorMessage(error);
      this.#context.logger.debug({ reason }, 'cannot read the JetStream storage of the servers; retrying');
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

// A connection that receives and drops diverted requests.
import type { NatsConnection, Subscription } from '@nats-io/nats-core';
import { MASTER_QUEUE } from '../../../permissions/names.js';
import { Diversions } from './diversions.js';
import type { FloodLimits } from './meter.js';
import type { MasterLogger } from '../../logger.js';
import { errorMessage } from '../../../text/error-message.js';
import { DIVERSION_WINDOW_MS } from '../../../timing.js';

/** The dependencies of a {@link FloodSink}. */
export interface FloodSinkOptions {
  /** The shared connection that all requests arrive on. */
  shared: NatsConnection;
  /** Opens another connection. @param at its server, such as `127.0.0.1:4222` */
  open: (at: string) => Promise<NatsConnection>;
  /** All subjects that this caller publishes requests on. */
  subject: (caller: string) => string;
  /** Whether this is a valid caller name. Another string could be a wildcard, which would divert everybody. */
  isCaller: (caller: string) => boolean;
  limits: FloodLimits;
  /** Called for each request above the rate, here or on the shared connection. */
  onExcess: (caller: string, bytes: number) => void;
  /** Called for each request that the sink dropped. */
  onDropped: () => void;
  logger: MasterLogger;
}

/**
 * The server picks a random member of a queue group for each message: with this many subscriptions to a flooded
 * subject, one request in a hundred stays on the shared connection.
 */
const WEIGHT = 100;

/**
 * Keeps a flood off the shared connection. A connection delivers in order: behind megabytes of a flood, others'
 * requests are late, and they are lost when the server cuts the connection as a slow consumer. So a separate connection
 * subscribes to the flooded subject, in the same queue group and with nearly all of its weight, and drops everything.
 * If the server cuts it, nobody is affected.
 *
 * It uses the server of the shared connection, because servers prefer their own clients within a queue group.
 */
export class FloodSink {
  readonly #options: FloodSinkOptions;
  readonly #diversions: Diversions;
  readonly #diverted = new Map<string, Subscription[]>();
  readonly #timer: NodeJS.Timeout;
  #nc: NatsConnection | undefined;
  #opening: Promise<void> | undefined;
  /** Whether a failure to open it was logged. */
  #isFailureLogged = false;
  #stopped = false;

  constructor(options: FloodSinkOptions) {
    this.#options = options;
    this.#diversions = new Diversions(options.limits);
    this.#timer = setInterval(() => this.#endWindow(), DIVERSION_WINDOW_MS);
    this.#timer.unref();
    // opened in advance: requests that arrive while it connects would delay all callers
    this.#ensureOpen();
  }

  /** Counts a request over the rate on the shared connection. */
  readonly excess = (caller: string, bytes: number): void => {
    this.#options.onExcess(caller, bytes);
    if (!this.#options.isCaller(caller) || !this.#diversions.note(caller, bytes)) return;
    this.#options.logger.warn({ caller }, 'a caller floods: diverting its requests');
    this.#diverted.set(caller, []);
    this.#subscribe(caller);
  };

  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    await this.#opening;
    await this.#nc?.close();
  }

  #endWindow(): void {
    for (const caller of this.#diversions.endWindow()) {
      for (const subscription of this.#diverted.get(caller) ?? []) subscription.unsubscribe();
      this.#diverted.delete(caller);
    }
    this.#ensureOpen();
  }

  /** Opens the connection, or reopens it at the server that the shared connection moved to. */
  #ensureOpen(): void {
    const { shared, open, logger } = this.#options;
    const at = shared.getServer();
    const isOpen = this.#nc !== undefined && !this.#nc.isClosed() && this.#nc.getServer() === at;
    if (isOpen || at === '' || this.#opening !== undefined || this.#stopped) return;
    this.#opening = open(at)
      .then((nc) => {
        const old = this.#nc;
        this.#nc = nc;
        this.#isFailureLogged = false;
        for (const caller of this.#diverted.keys()) this.#subscribe(caller);
        void old?.close();
      })
      .catch((error: unknown) => {
        const isNew = this.#diverted.size > 0 && !this.#isFailureLogged;
        this.#isFailureLogged ||= isNew;
        // without a flood, it does not matter, and the shared connection logs an outage
        logger[isNew ? 'warn' : 'debug'](
          { error: errorMessage(error) },
          'the connection for floods cannot be opened',
        );
      })
      .finally(() => (this.#opening = undefined));
  }

  #subscribe(caller: string): void {
    const nc = this.#nc;
    if (nc === undefined || nc.isClosed()) return;
    const { subject, onDropped } = this.#options;
    const callback = (error: Error | null, msg: { data: Uint8Array }) => {
      if (error !== null) return;
      onDropped();
      this.excess(caller, msg.data.length);
    };
    this.#diverted.set(
      caller,
      Array.from({ length: WEIGHT }, () => nc.subscribe(subject(caller), { queue: MASTER_QUEUE, callback })),
    );
  }
}

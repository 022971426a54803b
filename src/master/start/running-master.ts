// The master that startMaster returns: reports its health, and stops its parts.
import type { ZesterError } from '../../errors.js';
import { errorMessage } from '../../text/error-message.js';
import { STOP_POLL_MS, STOP_TIMEOUT_MS } from '../../timing.js';
import type { MasterContext } from '../context.js';
import { healthOf } from '../health.js';
import type { MasterEvent } from '../master-event.js';
import type { MasterHealth } from '../master-health.js';
import type { Master } from '../master.js';
import type { LeasedWatch } from '../watch/leased-watch.js';
import type { Closing } from './closing.js';
import type { MasterConnections } from './connections.js';

/** The dependencies of a {@link RunningMaster}. */
export interface RunningContext extends Pick<MasterContext, 'id' | 'actor' | 'logger' | 'watching'> {
  audit: Pick<MasterContext['audit'], 'note'>;
  policy: Pick<MasterContext['policy'], 'stop'>;
  events: Pick<MasterContext['events'], 'iterate'>;
  metrics: { registry: Pick<MasterContext['metrics']['registry'], 'metrics'> };
}

type Connection = Pick<MasterConnections['nc'], 'close' | 'closed' | 'isClosed'>;

/** Its connections and their events. */
export interface RunningConnections {
  nc: Connection;
  system: Connection;
  answers: { all: readonly Connection[] } & Record<'auth' | 'enroll' | 'admins', Connection>;
  log: Pick<MasterConnections['log'], 'down' | 'isDown'>;
  serverWatch: Pick<MasterConnections['serverWatch'], 'follow' | 'problem'>;
}

/** A master whose parts have all started: reports their health, and stops them. */
export class RunningMaster implements Master {
  readonly id: string;
  readonly closed: Promise<void>;
  readonly #context: RunningContext;
  readonly #connections: RunningConnections;
  readonly #watch: Pick<LeasedWatch, 'held'>;
  readonly #closing: Pick<Closing, 'closeAll' | 'hurry'>;
  #end: () => void = () => undefined;
  #stopping: Promise<void> | undefined;
  #endedBy: ZesterError | undefined;

  constructor(
    context: RunningContext,
    connections: RunningConnections,
    watch: Pick<LeasedWatch, 'held'>,
    closing: Pick<Closing, 'closeAll' | 'hurry'>,
  ) {
    this.id = context.id;
    this.#context = context;
    this.#connections = connections;
    this.#watch = watch;
    this.#closing = closing;
    this.closed = new Promise((resolve) => (this.#end = resolve));
    connections.serverWatch.follow((error) => {
      this.#endedBy = error;
      context.logger.error({ code: error.code }, `master stopping: ${error.message}`);
      void this.stop();
    });
    for (const part of [connections.nc, ...connections.answers.all])
      void part.closed().then(() => this.stop());
  }

  // bound: a user may destructure them
  readonly metricsText = (): Promise<string> => this.#context.metrics.registry.metrics();

  readonly events = (): AsyncIterable<MasterEvent> => this.#context.events.iterate();

  readonly health = (): MasterHealth => healthOf(this.#context, this.#connections);

  get watching(): boolean {
    return this.#watch.held;
  }

  get endedBy(): ZesterError | undefined {
    return this.#endedBy;
  }

  readonly stop = async ({ waitMs = STOP_TIMEOUT_MS } = {}): Promise<void> => {
    const deadline = performance.now() + waitMs;
    // without a server, nothing can be answered or written, and each part would wait for it in turn
    const watchdog = setInterval(() => {
      if (this.#connections.log.isDown && performance.now() >= deadline) void this.#cut();
    }, STOP_POLL_MS);
    if (waitMs === 0) void this.#cut();
    this.#stopping ??= this.#stop();
    await this.#stopping.finally(() => clearInterval(watchdog));
  };

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #stop(): Promise<void> {
    const { id, actor, audit, logger, policy } = this.#context;
    // callers that wait for a decision learn that it is pending
    policy.stop();
    audit.note({ kind: 'master.stopped', by: actor });
    const failures = await this.#closing.closeAll();
    for (const error of failures)
      logger.error({ id, error: errorMessage(error) }, 'a part of the master failed to stop');
    logger.info({ id }, 'master stopped');
    this.#end();
  }

  async #cut(): Promise<void> {
    const { nc, system, answers } = this.#connections;
    await Promise.all([nc, system, ...answers.all].map((part) => part.close()));
    this.#closing.hurry();
  }
}

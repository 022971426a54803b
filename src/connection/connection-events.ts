// The event stream of a managed connection.
import { errors, type Status } from '@nats-io/transport-node';
import { Broadcast } from '../async/broadcast.js';
import { guarded } from '../async/guarded.js';
import { afterStatus } from './connection-state.js';
import { diagnose, type DiagnosedConnection } from './diagnostics.js';
import { logEvent, type ConnectionEvent, type ConnectionLogger } from './events.js';
import { Refusals } from './refusals.js';

/** The registered listeners. */
export interface ConnectionListeners {
  logger?: ConnectionLogger | undefined;
  onEvent?: ((event: ConnectionEvent) => void) | undefined;
  /** Identifies the connection to listeners that observe all connections. */
  diagnosed?: DiagnosedConnection | undefined;
}

/** The events and statuses of one connection, across servers. */
export class ConnectionEvents {
  readonly #statuses = new Broadcast<Status>();
  readonly #events = new Broadcast<ConnectionEvent>();
  readonly #listeners: readonly ((event: ConnectionEvent) => void)[];
  readonly #refusals = new Refusals();
  #outage = false;

  readonly #diagnosed: DiagnosedConnection;

  constructor({ logger, onEvent, diagnosed = {} }: ConnectionListeners) {
    this.#diagnosed = diagnosed;
    const listener = (name: string, callback: (event: ConnectionEvent) => unknown) =>
      guarded(callback, (error) => this.callbackFailed(name, error));
    this.#listeners = [
      ...(logger === undefined ? [] : [listener('logger', (event) => logEvent(logger, event))]),
      ...(onEvent === undefined ? [] : [listener('onEvent', onEvent)]),
    ];
  }

  events(): AsyncIterable<ConnectionEvent> {
    return this.#events.iterate();
  }

  statuses(): AsyncIterable<Status> {
    return this.#statuses.iterate();
  }

  emit(event: ConnectionEvent): void {
    for (const listener of this.#listeners) listener(event);
    this.#events.emit(event);
    diagnose('connection', { ...this.#diagnosed, event });
  }

  callbackFailed(callback: string, error: Error): void {
    this.emit({ type: 'callbackFailed', callback, error });
  }

  /** Forwards a status. */
  status(status: Status): void {
    this.#statuses.emit(status);
  }

  /**
   * Emits the events that follow from a client status, but not the status itself.
   * @param server the server that the status is about
   */
  emitFor(status: Status, server: string): void {
    if (status.type === 'error') this.#refused(status.error);
    if (status.type === 'reconnect') this.#refusals.reset();
    const { outage, event } = afterStatus(this.#outage, status.type);
    this.#outage = outage;
    if (event === 'buffering') this.emit({ type: event });
    if (event === 'reconnected') this.emit({ type: event, server });
  }

  /** Called when the connection is closed: ends the iterators. */
  end(): void {
    this.status({ type: 'close' });
    this.#statuses.end();
    this.#events.end();
  }

  #refused(error: Error): void {
    if (error instanceof errors.PermissionViolationError) return;
    const report = this.#refusals.note(error.message, performance.now());
    if (report !== undefined) this.emit({ type: 'refused', ...report });
  }
}

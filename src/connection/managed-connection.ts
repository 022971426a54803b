// A NatsConnection that outlives its underlying client connections.
import {
  type Msg,
  type NatsConnection,
  type Payload,
  type PublishOptions,
  type RequestManyOptions,
  type RequestOptions,
  type Stats,
  type Status,
  type Subscription,
  type SubscriptionOptions,
} from '@nats-io/transport-node';
import { deferred } from '@nats-io/nats-core/internal';
import { withDeadline } from '../async/deadline.js';
import { UndeliveredError } from '../errors.js';
import { ClientFacade } from './client-facade.js';
import { ConnectionEvents, type ConnectionListeners } from './connection-events.js';
import { drainStep, type Phase } from './connection-state.js';
import type { ConnectionEvent } from './events.js';
import { Handover } from './handover.js';
import { Link } from './link.js';
import { ManagedSubscription, type SubscriptionOwner } from './managed-subscription.js';
import { Outbound } from './outbound.js';
import { DRAIN_TIMEOUT_MS } from '../timing.js';

/** The options of a {@link ManagedConnection}. */
export interface ManagedConnectionOptions extends ConnectionListeners {
  /** The limit of the reconnect buffer, in bytes; 8 MiB by default. With 0, publishing during an outage throws. */
  maxBytes?: number | undefined;
  /** How long `drain()` waits for an outage to end, in milliseconds; 5,000 by default. */
  drainTimeoutMs?: number | undefined;
  /** How long a replaced connection stays open for the answers to its requests, in milliseconds; 5,000 by default. */
  handoverTimeoutMs?: number | undefined;
  /** Make plain subscriptions movable, not only queue subscriptions. */
  movable?: boolean | undefined;
  inboxPrefix?: string | undefined;
}

/**
 * A `NatsConnection` over one client connection at a time, of which it uses only the public interface. `Outbound`
 * publishes, `Handover` rotates, and `ConnectionEvents` emits events; subscriptions and closing are here.
 */
export class ManagedConnection extends ClientFacade implements NatsConnection, SubscriptionOwner {
  readonly #options: ManagedConnectionOptions;
  readonly #events: ConnectionEvents;
  readonly #outbound: Outbound;
  readonly #handover: Handover;
  readonly #closed = deferred<void | Error>();
  readonly #subscriptions = new Set<ManagedSubscription>();
  #phase: Phase = 'open';
  #undelivered: UndeliveredError | undefined;

  constructor(nc: NatsConnection, options: ManagedConnectionOptions = {}) {
    super();
    this.#options = options;
    const events = new ConnectionEvents(options);
    const host = { link: () => this.#handover.link, phase: () => this.#phase, events };
    const outbound = new Outbound(host, options.maxBytes);
    outbound.setMaxPayload(nc.info?.max_payload);
    this.#events = events;
    this.#outbound = outbound;
    const subscriptions = this.#subscriptions;
    this.#handover = new Handover(
      { outbound, events, subscriptions, adoptLink: (second) => this.#adoptLink(second) },
      nc,
      options.handoverTimeoutMs ?? DRAIN_TIMEOUT_MS,
    );
  }

  protected get inUse(): NatsConnection {
    return this.#handover.link.nc;
  }

  // --- what this adds to the client's interface ---------------------------------------------------------------------

  /** The messages buffered during the current outage. */
  get buffered(): { messages: number; bytes: number } {
    return this.#outbound.kept;
  }

  /** The events of the connection, in addition to the client's `status()`. Each call returns a new iterator. */
  events(): AsyncIterable<ConnectionEvent> {
    return this.#events.events();
  }

  /** @internal Whether the connection is known to reach its server. */
  isUp(): boolean {
    return this.#handover.link.up;
  }

  /** @internal */
  emit(event: ConnectionEvent): void {
    this.#events.emit(event);
  }

  /** @internal Like {@link reconnect}, but sends published messages first. */
  renew(): Promise<void> {
    return this.#handover.renew();
  }

  /** @internal Moves to a second connection. @throws the client's error if that does not respond */
  moveTo(nc: NatsConnection): Promise<void> {
    return this.#handover.moveTo(nc);
  }

  // --- publishing ---------------------------------------------------------------------------------------------------

  publish(subject: string, payload?: Payload, options?: PublishOptions): void {
    this.#outbound.publish(subject, payload, options);
  }

  publishMessage(msg: Msg): void {
    this.publish(msg.subject, msg.data, replyAndHeaders(msg));
  }

  respondMessage(msg: Msg): boolean {
    if (msg.reply === undefined || msg.reply === '') return false;
    this.publish(msg.reply, msg.data, replyAndHeaders(msg));
    return true;
  }

  request(subject: string, payload?: Payload, options?: RequestOptions): Promise<Msg> {
    return this.#outbound.request(subject, payload, options);
  }

  requestMany(
    subject: string,
    payload?: Payload,
    options?: Partial<RequestManyOptions>,
  ): Promise<AsyncIterable<Msg>> {
    return this.#outbound.requestMany(subject, payload, options);
  }

  flush(): Promise<void> {
    return this.#outbound.flush();
  }

  // --- subscribing --------------------------------------------------------------------------------------------------

  subscribe(subject: string, options: SubscriptionOptions = {}): Subscription {
    this.#outbound.enter('subscribe');
    const inbox = `${this.#options.inboxPrefix ?? '_INBOX'}.`;
    const movable = this.#options.movable === true && !subject.startsWith(inbox);
    const subscription = new ManagedSubscription(this, this.#handover.link, subject, options, movable);
    this.#subscriptions.add(subscription);
    return subscription;
  }

  /** @internal */
  adopt(msg: Msg, link: Link): void {
    const { reply } = msg;
    if (reply === undefined || reply === '') return;
    link.messageDelivered();
    let answered = false;
    // the permission to answer belongs to the connection that received the request, so answer on that while it is open
    msg.respond = (payload?: Payload, options?: PublishOptions): boolean => {
      const stays = link !== this.#handover.link || this.#handover.isLeaving;
      if (stays && link.up && !link.nc.isClosed()) link.nc.publish(reply, payload, options);
      else this.publish(reply, payload, options);
      if (!answered) link.messageAnswered();
      answered = true;
      return true;
    };
  }

  /** @internal */
  removed(subscription: ManagedSubscription): void {
    this.#subscriptions.delete(subscription);
  }

  /** @internal */
  slow(sub: ManagedSubscription, pending: number): void {
    this.#events.status({ type: 'slowConsumer', sub, pending });
  }

  /** @internal */
  callbackFailed(callback: string, error: Error): void {
    this.#events.callbackFailed(callback, error);
  }

  /** @internal */
  settled(): Promise<void> {
    return this.#handover.settled;
  }

  // --- the state
  // ------------------------------------------------------------------------------------------------------

  status(): AsyncIterable<Status> {
    return this.#events.statuses();
  }

  stats(): Stats {
    return this.#handover.stats;
  }

  /** Drops the connection and dials again, like the client's `reconnect()`. Buffers messages published meanwhile. */
  async reconnect(): Promise<void> {
    this.#outbound.enter('reconnect');
    await this.#handover.reconnect();
  }

  isClosed(): boolean {
    return this.#phase === 'closed';
  }

  isDraining(): boolean {
    return this.#phase === 'draining';
  }

  // --- the end ------------------------------------------------------------------------------------------------------

  closed(): Promise<void | Error> {
    return this.#closed;
  }

  /**
   * Closes at once, and drops the reconnect buffer: an `undelivered` event reports how much was lost, and `closed()`
   * resolves with an `UndeliveredError`.
   */
  async close(): Promise<void> {
    if (this.isClosed()) return;
    this.#drop('closed during an outage');
    await this.#handover.close();
    await this.#closed;
  }

  /**
   * Drains the subscriptions, sends buffered messages, and closes. Waits at most `drainTimeoutMs` for the end of an
   * outage, and then closes anyway.
   *
   * @throws UndeliveredError when accepted messages were not delivered, or may not have been
   */
  async drain(): Promise<void> {
    this.#outbound.enter('drain');
    this.#phase = 'draining';
    const deadline = Date.now() + (this.#options.drainTimeoutMs ?? DRAIN_TIMEOUT_MS);
    await withDeadline(this.#handover.settled, deadline);
    let step = drainStep(this.#outbound.flow, deadline - Date.now());
    while (step === 'wait') {
      await withDeadline(this.#outbound.whenReady(), deadline);
      step = drainStep(this.#outbound.flow, deadline - Date.now());
    }
    if (step === 'giveUp') {
      const dropped = this.#drop('drained during an outage that did not end in time');
      await this.close();
      if (dropped !== undefined) throw dropped;
      return;
    }
    const drained = this.inUse.drain().then(
      () => true,
      () => false,
    );
    const isDrained = await withDeadline(drained, Math.max(deadline, Date.now() + DRAIN_TIMEOUT_MS));
    await this.close();
    if (isDrained === true) return;
    const why = 'the connection was cut while draining; the last messages may be lost';
    throw new UndeliveredError(0, 0, why);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.isClosed()) return;
    if (this.isDraining()) await this.#closed;
    else await this.drain();
  }

  #adoptLink(nc: NatsConnection): Link {
    const link = new Link(nc, (from, status) => this.#onStatus(from, status));
    void nc.closed().then((error) => {
      if (link === this.#handover.link && !link.retired)
        this.#onClosed(error instanceof Error ? error : undefined);
    });
    return link;
  }

  #onStatus(link: Link, status: Status): void {
    if (link !== this.#handover.link || link.retired || status.type === 'close') return;
    this.#events.emitFor(status, link.nc.getServer());
    if (status.type === 'reconnect') {
      this.#outbound.setMaxPayload(link.nc.info?.max_payload);
      this.#outbound.release();
    }
    this.#events.status(status);
  }

  #onClosed(error: Error | undefined): void {
    if (this.isClosed()) return;
    this.#drop('the connection was closed during an outage', error);
    this.#phase = 'closed';
    this.#outbound.end();
    this.#events.end();
    const result = this.#undelivered ?? error;
    this.notifyClosed(result);
    this.#closed.resolve(result);
  }

  #drop(why: string, cause?: Error): UndeliveredError | undefined {
    const dropped = this.#outbound.drop(why, cause);
    this.#undelivered = dropped ?? this.#undelivered;
    return dropped;
  }
}

function replyAndHeaders(msg: Msg): PublishOptions {
  return {
    ...(msg.reply !== undefined && msg.reply !== '' && { reply: msg.reply }),
    ...(msg.headers !== undefined && { headers: msg.headers }),
  };
}

import {
  errors,
  type Msg,
  type NatsConnection,
  type Payload,
  type PublishOptions,
  type RequestManyOptions,
  type RequestOptions,
  type ServerInfo,
  type Stats,
  type Status,
  type Subscription,
  type SubscriptionOptions,
} from '@nats-io/transport-node';
import { deferred, QueuedIteratorImpl } from '@nats-io/nats-core/internal';
import { UndeliveredError } from '../errors.js';
import { Broadcast } from '../async/broadcast.js';
import { guarded } from '../async/guarded.js';
import { logEvent, type ConnectionEvent, type ConnectionLogger } from './events.js';
import { Link } from './link.js';
import { ManagedSubscription, type SubscriptionOwner } from './managed-subscription.js';
import { Outbox } from './outbox.js';
import { Refusals } from './refusals.js';
import { withDeadline } from '../async/deadline.js';

/** How a {@link ManagedConnection} behaves. */
export interface ManagedConnectionOptions {
  /** The reconnect buffer's bound in bytes; 8 MiB by default. With 0, publishing during an outage throws. */
  maxBytes?: number | undefined;
  /** How long `drain()` waits for an outage to end, in milliseconds; 5,000 by default. */
  drainTimeout?: number | undefined;
  /**
   * How long a connection that was replaced stays for the answers to its requests, in milliseconds; 5,000 by default.
   */
  handoverTimeout?: number | undefined;
  /** Plain subscriptions become movable, too. */
  movable?: boolean | undefined;
  inboxPrefix?: string | undefined;
  logger?: ConnectionLogger | undefined;
  onEvent?: ((event: ConnectionEvent) => void) | undefined;
}

const DEFAULT_TIMEOUT_MS = 5_000;

/**
 * A `NatsConnection` over one connection of the client at a time. It keeps what is published during an outage and sends
 * it first after the reconnect, and it can go over to another connection while messages flow.
 *
 * It uses the public interface of the client's connection, and hands on the few inner things that the client's own
 * packages (jetstream, kv, services) reach for.
 */
export class ManagedConnection implements NatsConnection, SubscriptionOwner {
  readonly #options: ManagedConnectionOptions;
  readonly #outbox: Outbox;
  readonly #statuses = new Broadcast<Status>();
  readonly #events = new Broadcast<ConnectionEvent>();
  readonly #listeners: readonly ((event: ConnectionEvent) => void)[];
  readonly #closed = deferred<void | Error>();
  readonly #subscriptions = new Set<ManagedSubscription>();
  readonly #retiring = new Set<Link>();
  #link: Link;
  /** A move or a renewal is under way: what is published waits for its end. */
  #held = 0;
  /** The connection in use is being moved from: what it brought is answered on it, at once and not after the move. */
  #leaving = false;
  #draining = false;
  #isClosed = false;
  #readyWaiters: (() => void)[] = [];
  #moving: Promise<void> = Promise.resolve();
  #retiredStats: Stats = { inBytes: 0, outBytes: 0, inMsgs: 0, outMsgs: 0 };
  #undelivered: UndeliveredError | undefined;
  #outage = false;
  readonly #refusals = new Refusals();

  constructor(nc: NatsConnection, options: ManagedConnectionOptions = {}) {
    this.#options = options;
    const { logger, onEvent } = options;
    const listener = (name: string, hear: (event: ConnectionEvent) => unknown) =>
      guarded(hear, (error) => this.callbackFailed(name, error));
    this.#listeners = [
      ...(logger === undefined ? [] : [listener('logger', (event) => logEvent(logger, event))]),
      ...(onEvent === undefined ? [] : [listener('onEvent', onEvent)]),
    ];
    this.#outbox = new Outbox(options.maxBytes);
    this.#link = this.#adoptLink(nc);
    this.#outbox.maxPayload = nc.info?.max_payload;
  }

  // --- what this adds to the client's interface ---------------------------------------------------------------------

  /** What is kept at the moment, because the connection is down. */
  get buffered(): { messages: number; bytes: number } {
    return this.#outbox.kept;
  }

  /** What happens to the connection beside the client's `status()`; each call gives an iterator of its own. */
  events(): AsyncIterable<ConnectionEvent> {
    return this.#events.iterate();
  }

  /** @internal Whether the connection is known to reach its server. */
  isUp(): boolean {
    return this.#link.up;
  }

  /** @internal */
  emit(event: ConnectionEvent): void {
    for (const listener of this.#listeners) listener(event);
    this.#events.emit(event);
  }

  /** @internal */
  callbackFailed(callback: string, error: Error): void {
    this.emit({ type: 'callbackFailed', callback, error });
  }

  // --- publishing ---------------------------------------------------------------------------------------------------

  publish(subject: string, payload: Payload = EMPTY, options: PublishOptions = {}): void {
    this.#checkOpen();
    if (this.#ready) {
      this.#link.nc.publish(subject, payload, options);
      return;
    }
    this.#outbox.publish(subject, payload, options);
  }

  publishMessage(msg: Msg): void {
    this.publish(msg.subject, msg.data, replyAndHeaders(msg));
  }

  respondMessage(msg: Msg): boolean {
    if (msg.reply === undefined || msg.reply === '') return false;
    this.publish(msg.reply, msg.data, replyAndHeaders(msg));
    return true;
  }

  async request(
    subject: string,
    payload: Payload = EMPTY,
    options: RequestOptions = { timeout: 1000 },
  ): Promise<Msg> {
    this.#checkSubscribable();
    const send = (timeout: number): Promise<Msg> => {
      const answer = this.#link.nc.request(subject, payload, { ...options, timeout });
      this.#link.trackRequest(answer);
      return answer;
    };
    const timeout = options.timeout > 0 ? options.timeout : 1000;
    if (this.#ready) return send(timeout);
    return this.#outbox.request({ subject, payload, headers: options.headers }, timeout, send, () => {
      throw new errors.TimeoutError();
    });
  }

  async requestMany(
    subject: string,
    payload: Payload = EMPTY,
    options: Partial<RequestManyOptions> = { maxWait: 1000, maxMessages: -1 },
  ): Promise<AsyncIterable<Msg>> {
    this.#checkSubscribable();
    const send = async (maxWait: number): Promise<AsyncIterable<Msg>> => {
      const link = this.#link;
      const answers = await link.nc.requestMany(subject, payload, { ...options, maxWait });
      if (answers instanceof QueuedIteratorImpl) link.trackRequest(answers.iterClosed);
      return answers;
    };
    const maxWait = options.maxWait ?? 1000;
    if (this.#ready) return send(maxWait);
    return this.#outbox.request({ subject, payload, headers: options.headers }, maxWait, send, () => {
      const none = new QueuedIteratorImpl<Msg>();
      none.stop();
      return none;
    });
  }

  async flush(): Promise<void> {
    if (this.#isClosed) throw new errors.ClosedConnectionError();
    while (!this.#ready) {
      await this.#whenReady();
      if (this.#isClosed) throw new errors.ClosedConnectionError();
    }
    return this.#link.nc.flush();
  }

  // --- subscribing --------------------------------------------------------------------------------------------------

  subscribe(subject: string, options: SubscriptionOptions = {}): Subscription {
    this.#checkSubscribable();
    const inbox = `${this.#options.inboxPrefix ?? '_INBOX'}.`;
    const movable = this.#options.movable === true && !subject.startsWith(inbox);
    const subscription = new ManagedSubscription(this, this.#link, subject, options, movable);
    this.#subscriptions.add(subscription);
    return subscription;
  }

  /** @internal */
  adopt(msg: Msg, link: Link): void {
    const { reply } = msg;
    if (reply === undefined || reply === '') return;
    link.messageDelivered();
    let answered = false;
    // The permission to answer belongs to the connection that got the request: it answers for as long as it is there.
    msg.respond = (payload?: Payload, options?: PublishOptions): boolean => {
      const stays = link !== this.#link || this.#leaving;
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
    this.#statuses.emit({ type: 'slowConsumer', sub, pending });
  }

  /** @internal */
  settled(): Promise<void> {
    return this.#moving;
  }

  // --- the end ------------------------------------------------------------------------------------------------------

  closed(): Promise<void | Error> {
    return this.#closed;
  }

  /**
   * Closes at once. What was kept for the reconnect is dropped: an `undelivered` event says how much, and `closed()`
   * resolves with an `UndeliveredError`.
   */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#dropBuffer('closed during an outage');
    await Promise.all([...this.#retiring].map((link) => link.nc.close()));
    await this.#link.nc.close();
    await this.#closed;
  }

  /**
   * Drains the subscriptions, sends what is kept, and closes. During an outage it waits for its end, at most
   * `drainTimeout`, and then closes all the same.
   *
   * @throws UndeliveredError when something accepted was not delivered, or may not have been
   */
  async drain(): Promise<void> {
    if (this.#isClosed) throw new errors.ClosedConnectionError();
    if (this.#draining) throw new errors.DrainingConnectionError();
    this.#draining = true;
    const deadline = Date.now() + (this.#options.drainTimeout ?? DEFAULT_TIMEOUT_MS);
    await withDeadline(this.#moving, deadline);
    while (!this.#ready && !this.#isClosed && Date.now() < deadline)
      await withDeadline(this.#whenReady(), deadline);
    if (this.#isClosed || !this.#ready) {
      const dropped = this.#dropBuffer('drained during an outage that did not end in time');
      await this.close();
      if (dropped !== undefined) throw dropped;
      return;
    }
    const drained = await withDeadline(
      this.#link.nc.drain().then(
        () => true,
        () => false,
      ),
      Math.max(deadline, Date.now() + DEFAULT_TIMEOUT_MS),
    );
    await this.close();
    if (drained !== true) {
      throw new UndeliveredError(
        0,
        0,
        'the connection was cut while it was drained; what was published last may be lost',
      );
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return;
    if (this.#draining) await this.#closed;
    else await this.drain();
  }

  isClosed(): boolean {
    return this.#isClosed;
  }

  isDraining(): boolean {
    return this.#draining;
  }

  // --- going over to other credentials --------------------------------------------------------------------------------

  /** Drops the connection and dials again, as the client's `reconnect()`; what is published meanwhile is kept. */
  async reconnect(): Promise<void> {
    this.#checkSubscribable();
    const link = this.#link;
    if (link.up) {
      link.setDown();
      await link.nc.reconnect();
    }
  }

  /**
   * @internal As {@link reconnect}, but what was published before is sent first: publishing is held, the server has
   * confirmed all that came before, and only then the socket is dropped.
   */
  async renew(): Promise<void> {
    const link = this.#link;
    if (!link.up) return; // a reconnect is under way already, and reads the file itself
    this.#held += 1;
    try {
      await withDeadline(
        link.nc.flush().catch(() => undefined),
        Date.now() + 1_000,
      );
    } finally {
      this.#held -= 1;
    }
    if (this.#isClosed || this.#draining || link !== this.#link) this.#release();
    else await this.reconnect();
  }

  /**
   * @internal Goes over to a second connection, make before break: subscribes there, sends there what is published from
   * here on, and lets the first one go when what it had under way is done. Without an answer of the second connection
   * everything stays as it is.
   *
   * @throws the client's error when the second connection does not answer
   */
  moveTo(nc: NatsConnection): Promise<void> {
    const move = this.#moving.then(() => this.#move(nc));
    this.#moving = move.catch(() => undefined);
    return move;
  }

  async #move(nc: NatsConnection): Promise<void> {
    if (this.#isClosed || this.#draining) {
      await nc.close();
      return;
    }
    const old = this.#link;
    const next = this.#adoptLink(nc);
    const leave: (() => Promise<void>)[] = [];
    const moveSubscriptions = (): void => {
      for (const subscription of this.#subscriptions) {
        if (subscription.isOn(old)) leave.push(subscription.moveTo(next));
      }
    };
    this.#held += 1;
    this.#leaving = true;
    try {
      moveSubscriptions();
      await nc.flush();
      // What was published on the first connection is with the server before anything goes out on the second.
      if (old.up)
        await withDeadline(
          old.nc.flush().catch(() => undefined),
          Date.now() + 1_000,
        );
      // Those made meanwhile, before what was published after them goes out on `next`: a server takes the commands of one
      // connection in order, not those of two.
      moveSubscriptions();
    } catch (error) {
      next.retired = true;
      for (const subscription of this.#subscriptions) subscription.moveBack();
      await nc.close();
      throw error;
    } finally {
      this.#held -= 1;
      this.#leaving = false;
      if (!next.retired) {
        old.retired = true;
        this.#link = next;
        this.#outbox.maxPayload = nc.info?.max_payload ?? this.#outbox.maxPayload;
      }
      this.#release();
    }
    if (this.#isClosed) {
      await nc.close();
      return;
    }
    // the first one was down: for the user, this is the reconnect
    if (!old.up) {
      this.#outageOver(next);
      this.#statuses.emit({ type: 'reconnect', server: nc.getServer() });
    }
    this.#retiring.add(old);
    // the first one may be stalled, and no heartbeat may have noticed yet
    await withDeadline(Promise.all(leave.map((end) => end())), Date.now() + this.#handoverTimeout);
    void this.#retire(old);
  }

  async #retire(link: Link): Promise<void> {
    await link.whenIdle(this.#handoverTimeout);
    await withDeadline(
      link.nc.drain().catch(() => undefined),
      Date.now() + 1_000,
    );
    await link.nc.close();
    const { inBytes, outBytes, inMsgs, outMsgs } = link.nc.stats();
    this.#retiredStats.inBytes += inBytes;
    this.#retiredStats.outBytes += outBytes;
    this.#retiredStats.inMsgs += inMsgs;
    this.#retiredStats.outMsgs += outMsgs;
    this.#retiring.delete(link);
  }

  // --- what is handed on ----------------------------------------------------------------------------------------------

  /** What the server said of itself; undefined while it is not known, which the client's type cannot say here. */
  get info(): ServerInfo {
    return this.#link.nc.info as ServerInfo;
  }

  getServer(): string {
    return this.#link.nc.getServer();
  }

  status(): AsyncIterable<Status> {
    return this.#statuses.iterate();
  }

  stats(): Stats {
    const sum = { ...this.#retiredStats };
    for (const { nc } of [this.#link, ...this.#retiring]) {
      const { inBytes, outBytes, inMsgs, outMsgs } = nc.stats();
      sum.inBytes += inBytes;
      sum.outBytes += outBytes;
      sum.inMsgs += inMsgs;
      sum.outMsgs += outMsgs;
    }
    return sum;
  }

  rtt(): Promise<number> {
    return this.#link.nc.rtt();
  }

  /** @internal Used by the client's packages jetstream, kv and services. */
  get options(): unknown {
    return this.#inner.options;
  }

  /** @internal As `options`. */
  get features(): unknown {
    return this.#inner.features;
  }

  /** @internal As `options`. */
  get protocol(): unknown {
    return this.#inner.protocol;
  }

  /** @internal As `options`. */
  context(): Promise<unknown> {
    return this.#inner.context();
  }

  /** @internal As `options`. */
  getServerVersion(): unknown {
    return this.#inner.getServerVersion();
  }

  /** @internal As `options`: a push consumer begins again under another inbox. */
  _resub(subscription: ManagedSubscription, subject: string, max?: number): void {
    subscription.resubscribe(subject, max);
  }

  readonly #closeListeners = new Set<CloseListener>();

  /** @internal As `options`. */
  addCloseListener(listener: CloseListener): void {
    this.#closeListeners.add(listener);
  }

  /** @internal As `options`. */
  removeCloseListener(listener: CloseListener): void {
    this.#closeListeners.delete(listener);
  }

  // --- the state ------------------------------------------------------------------------------------------------------

  get #handoverTimeout(): number {
    return this.#options.handoverTimeout ?? DEFAULT_TIMEOUT_MS;
  }

  get #inner(): ClientInternals {
    return this.#link.nc as unknown as ClientInternals;
  }

  /** Whether what is published goes straight to the connection. */
  get #ready(): boolean {
    return this.#link.up && this.#held === 0;
  }

  #adoptLink(nc: NatsConnection): Link {
    const link = new Link(nc, (heard, status) => {
      this.#onStatus(heard, status);
    });
    void nc.closed().then((error) => {
      if (link === this.#link && !link.retired) this.#onClosed(error instanceof Error ? error : undefined);
    });
    return link;
  }

  #onStatus(link: Link, status: Status): void {
    if (link !== this.#link || link.retired || status.type === 'close') return;
    if (status.type === 'disconnect') {
      // each attempt that a server refuses is a disconnect, too
      if (!this.#outage) this.emit({ type: 'buffering' });
      this.#outage = true;
    }
    if (status.type === 'error') this.#refused(status.error);
    if (status.type === 'reconnect') {
      this.#outageOver(link);
      this.#outbox.maxPayload = link.nc.info?.max_payload ?? this.#outbox.maxPayload;
      this.#release();
    }
    this.#statuses.emit(status);
  }

  #outageOver(link: Link): void {
    this.#refusals.reset();
    if (!this.#outage) return;
    this.#outage = false;
    this.emit({ type: 'reconnected', server: link.nc.getServer() });
  }

  #refused(error: Error): void {
    if (error instanceof errors.PermissionViolationError) return;
    const report = this.#refusals.note(error.message, performance.now());
    if (report !== undefined) this.emit({ type: 'refused', ...report });
  }

  /** Sends what was kept, if the connection can take it. All in one go, so that nothing comes in between. */
  #release(): void {
    if (!this.#ready || this.#isClosed) return;
    const { messages, bytes } = this.buffered;
    this.#outbox.sendAll(
      (...message) => this.#link.nc.publish(...message),
      (subject, error) => this.emit({ type: 'messageRefused', subject, error }),
    );
    if (messages > 0) this.emit({ type: 'bufferSent', messages, bytes });
    for (const resolve of this.#readyWaiters.splice(0)) resolve();
  }

  #whenReady(): Promise<void> {
    return new Promise((resolve) => this.#readyWaiters.push(resolve));
  }

  #onClosed(error: Error | undefined): void {
    if (this.#isClosed) return;
    this.#dropBuffer('the connection was closed during an outage', error);
    this.#isClosed = true;
    this.#outbox.reject(new errors.ClosedConnectionError());
    for (const resolve of this.#readyWaiters.splice(0)) resolve();
    this.#statuses.emit({ type: 'close' });
    this.#statuses.end();
    this.#events.end();
    const result = this.#undelivered ?? error;
    for (const listener of this.#closeListeners) {
      guarded(
        () => listener.connectionClosedCallback(result),
        () => undefined,
      )();
    }
    this.#closed.resolve(result);
  }

  #dropBuffer(why: string, cause?: Error): UndeliveredError | undefined {
    const dropped = this.#outbox.clear();
    if (dropped.messages === 0) return undefined;
    this.#undelivered = new UndeliveredError(dropped.messages, dropped.bytes, why, { cause });
    this.emit({ type: 'undelivered', ...dropped });
    return this.#undelivered;
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new errors.ClosedConnectionError();
  }

  #checkSubscribable(): void {
    this.#checkOpen();
    if (this.#draining) throw new errors.DrainingConnectionError();
  }
}

const EMPTY = new Uint8Array(0);

interface CloseListener {
  connectionClosedCallback(error: Error | undefined): void;
}

/** What the client's packages use of its connection beside the public interface. */
interface ClientInternals {
  options: unknown;
  features: unknown;
  protocol: unknown;
  context(): Promise<unknown>;
  getServerVersion(): unknown;
}

function replyAndHeaders(msg: Msg): PublishOptions {
  return {
    ...(msg.reply !== undefined && msg.reply !== '' && { reply: msg.reply }),
    ...(msg.headers !== undefined && { headers: msg.headers }),
  };
}

// A subscription that moves from one client connection to the next.
import {
  errors,
  type Msg,
  type MsgCallback,
  type Subscription,
  type SubscriptionOptions,
} from '@nats-io/transport-node';
import { deferred, nuid, QueuedIteratorImpl } from '@nats-io/nats-core/internal';
import { guarded } from '../async/guarded.js';
import type { Link } from './link.js';

/** The parts of the connection that a subscription uses. */
export interface SubscriptionOwner {
  /** Prepares a message for the user, so that answers go through the managed connection. */
  adopt(msg: Msg, link: Link): void;
  removed(subscription: ManagedSubscription): void;
  slow(subscription: ManagedSubscription, pending: number): void;
  /** Called if a user callback threw or its promise rejected. */
  callbackFailed(callback: string, error: Error): void;
  /** Resolves when no move between connections is in progress. */
  settled(): Promise<void>;
}

/**
 * A subscription that outlives its connection: it moves to another one while messages flow. A queue subscription moves
 * without loss or duplicates, because for a moment both connections are members of its queue group. On a movable
 * connection, a plain subscription becomes the only member of its own queue group, with the same effect. Only inboxes
 * stay plain, as JetStream push consumers require: during a move, an inbox may receive a message twice. JetStream
 * messages are deduplicated.
 */
export class ManagedSubscription implements Subscription {
  readonly closed: Promise<void | Error>;
  readonly #owner: SubscriptionOwner;
  readonly #options: SubscriptionOptions;
  /** Guarded, since the client would permanently stop reading if a callback threw. */
  readonly #callback: MsgCallback<Msg> | undefined;
  readonly #iterator = new QueuedIteratorImpl<Msg>();
  readonly #closedSignal = deferred<void | Error>();
  #subject: string;
  #queue: string | undefined;
  #max: number | undefined;
  #received = 0;
  #draining = false;
  #done = false;
  #timer: NodeJS.Timeout | undefined;
  #active: { link: Link; sub: Subscription } | undefined;
  /** During a move: the previous subscription. */
  #left: { link: Link; sub: Subscription } | undefined;
  /** During a move: the JetStream messages that were already delivered. */
  #seen: Set<string> | undefined;
  #slowNotified = false;

  /** @internal */
  constructor(
    owner: SubscriptionOwner,
    link: Link,
    subject: string,
    options: SubscriptionOptions,
    movable: boolean,
  ) {
    this.#owner = owner;
    this.#options = options;
    this.#subject = subject;
    this.#max = options.max;
    this.#queue = options.queue ?? (movable ? `zester-${nuid.next()}` : undefined);
    this.closed = this.#closedSignal;
    const { callback } = options;
    this.#callback =
      typeof callback === 'function'
        ? guarded(callback, (error) => owner.callbackFailed(`of the subscription to ${subject}`, error))
        : undefined;
    this.#iterator.noIterator = this.#callback !== undefined;
    this.#active = this.#attach(link);
    if (options.timeout !== undefined && options.timeout > 0) {
      this.#timer = setTimeout(() => {
        this.#fail(new errors.TimeoutError());
        this.unsubscribe();
      }, options.timeout);
    }
    if (!this.#iterator.noIterator) {
      // leaving the loop ends the subscription, as with the client's own
      void this.#iterator.iterClosed.then(() => {
        this.unsubscribe();
      });
    }
  }

  /** The user's callback. */
  get callback(): MsgCallback<Msg> {
    return (
      this.#options.callback ??
      ((error, msg) => (error === null ? this.#iterator.push(msg) : this.#fail(error)))
    );
  }

  [Symbol.asyncIterator](): AsyncIterator<Msg> {
    return this.#iterator[Symbol.asyncIterator]();
  }

  unsubscribe(max?: number): void {
    if (this.#done) return;
    if (max !== undefined) this.#max = max;
    const sub = this.#active?.sub;
    if (sub === undefined || sub.isClosed()) this.#finish(undefined);
    else sub.unsubscribe(max);
  }

  async drain(): Promise<void> {
    if (this.#done) throw new errors.InvalidOperationError('subscription is already closed');
    this.#draining = true;
    await this.#owner.settled();
    if (this.#active !== undefined && !this.#active.sub.isClosed()) await this.#active.sub.drain();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#done) await this.drain();
  }

  isDraining(): boolean {
    return this.#draining;
  }

  isClosed(): boolean {
    return this.#done;
  }

  getSubject(): string {
    return this.#subject;
  }

  getReceived(): number {
    return this.#received;
  }

  getProcessed(): number {
    return this.#iterator.noIterator ? this.#received : this.#iterator.getProcessed();
  }

  getPending(): number {
    return this.#iterator.getPending();
  }

  getID(): number {
    return this.#active?.sub.getID() ?? 0;
  }

  getMax(): number | undefined {
    return this.#max;
  }

  /** @internal Whether it is on this connection. */
  isOn(link: Link): boolean {
    return this.#active?.link === link;
  }

  /**
   * @internal Also subscribes on another connection. Both may deliver until the returned function has ended the first
   * subscription; it resolves once that has delivered all received messages.
   */
  moveTo(link: Link): () => Promise<void> {
    const old = this.#active;
    if (this.#done || old === undefined || old.sub.isClosed()) return () => Promise.resolve();
    if (this.#queue === undefined) this.#seen = new Set();
    this.#active = this.#attach(link);
    this.#left = old;
    return async () => {
      this.#left = undefined;
      try {
        if (!old.sub.isClosed()) await old.sub.drain();
      } catch {
        // the first connection is gone, and its subscription with it
      }
      this.#seen = undefined;
    };
  }

  /** @internal Undoes {@link moveTo} if the second connection does not work. */
  moveBack(): void {
    const left = this.#left;
    this.#left = undefined;
    if (this.#done || left === undefined) return;
    this.#seen = undefined;
    this.#active = left.sub.isClosed() ? this.#attach(left.link) : left;
  }

  /** @internal Used by the client's push consumers to restart under another inbox. */
  resubscribe(subject: string, max: number | undefined): void {
    const active = this.#active;
    if (active === undefined || this.#done) return;
    const nc = active.link.nc as unknown as {
      _resub(sub: Subscription, subject: string, max?: number): void;
    };
    nc._resub(active.sub, subject, max);
    this.#subject = subject;
    this.#max = max === undefined ? undefined : max + this.#received;
  }

  #attach(link: Link): { link: Link; sub: Subscription } {
    const remaining = this.#max === undefined ? undefined : Math.max(1, this.#max - this.#received);
    const sub = link.nc.subscribe(this.#subject, {
      ...(this.#queue !== undefined && { queue: this.#queue }),
      ...(remaining !== undefined && { max: remaining }),
      callback: (error, msg) => {
        this.#deliver(error, msg, link);
      },
    });
    void sub.closed.then((error) => {
      if (this.#active?.sub === sub) this.#finish(error instanceof Error ? error : undefined);
    });
    return { link, sub };
  }

  #deliver(error: Error | null, msg: Msg, link: Link): void {
    if (error !== null) {
      // a first connection that closes during a move is not an error of the subscription
      if (this.isOn(link)) this.#fail(error);
      return;
    }
    if (this.#done || this.#seenBefore(msg)) return;
    clearTimeout(this.#timer);
    this.#received += 1;
    this.#owner.adopt(msg, link);
    if (this.#callback !== undefined) {
      void this.#callback(null, msg);
      return;
    }
    this.#iterator.push(msg);
    this.#noteSlow();
  }

  #seenBefore(msg: Msg): boolean {
    if (this.#seen === undefined || msg.reply?.startsWith('$JS.ACK.') !== true) return false;
    if (this.#seen.has(msg.reply)) return true;
    this.#seen.add(msg.reply);
    return false;
  }

  #noteSlow(): void {
    const { slow } = this.#options;
    if (slow === undefined) return;
    const pending = this.#iterator.getPending();
    if (pending > slow && !this.#slowNotified) this.#owner.slow(this, pending);
    this.#slowNotified = pending > slow;
  }

  #fail(error: Error): void {
    clearTimeout(this.#timer);
    if (this.#callback !== undefined) void this.#callback(error, {} as Msg);
    else this.#iterator.stop(error);
  }

  #finish(error: Error | undefined): void {
    if (this.#done) return;
    this.#done = true;
    clearTimeout(this.#timer);
    this.#owner.removed(this);
    // ended during a move: if the move fails, nothing must be left
    if (this.#left?.sub.isClosed() === false) this.#left.sub.unsubscribe();
    this.#left = undefined;
    const end = (): void => {
      this.#iterator.stop();
      this.#closedSignal.resolve(error);
    };
    // messages that wait in the iterator are read before it ends
    if (this.#iterator.noIterator || this.#iterator.done) end();
    else this.#iterator.push(end as unknown as Msg);
  }
}

// Publishes through the current connection, or buffers messages.
import {
  errors,
  type Msg,
  type Payload,
  type PublishOptions,
  type RequestManyOptions,
  type RequestOptions,
} from '@nats-io/transport-node';
import { QueuedIteratorImpl } from '@nats-io/nats-core/internal';
import { UndeliveredError } from '../errors.js';
import { admit, type Act, type Flow, type Phase } from './connection-state.js';
import type { ConnectionEvents } from './connection-events.js';
import type { Link } from './link.js';
import { Outbox } from './outbox.js';

/** The parts of the connection that {@link Outbound} uses. */
export interface OutboundHost {
  /** The link in use. */
  link(): Link;
  phase(): Phase;
  readonly events: ConnectionEvents;
}

/** Publishes and requests, and buffers messages that cannot be sent yet. */
export class Outbound {
  readonly #host: OutboundHost;
  readonly #outbox: Outbox;
  #held = 0;
  #waiters: (() => void)[] = [];

  /** @param maxBytes the limit of the buffer; 8 MiB by default */
  constructor(host: OutboundHost, maxBytes: number | undefined) {
    this.#host = host;
    this.#outbox = new Outbox(maxBytes);
  }

  get kept(): { messages: number; bytes: number } {
    return this.#outbox.kept;
  }

  get flow(): Flow {
    const { link, phase } = this.#host;
    return { phase: phase(), up: link().up, held: this.#held > 0 };
  }

  /** @throws the client's error when the connection is closed or drains */
  enter(act: Act): 'send' | 'keep' {
    const verdict = admit(this.flow, act);
    if (verdict === 'closed') throw new errors.ClosedConnectionError();
    if (verdict === 'draining') throw new errors.DrainingConnectionError();
    return verdict;
  }

  publish(subject: string, payload: Payload = EMPTY, options: PublishOptions = {}): void {
    if (this.enter('publish') === 'send') this.#host.link().nc.publish(subject, payload, options);
    else this.#outbox.publish(subject, payload, options);
  }

  async request(
    subject: string,
    payload: Payload = EMPTY,
    options: RequestOptions = { timeout: 1000 },
  ): Promise<Msg> {
    const send = (timeout: number): Promise<Msg> => {
      const link = this.#host.link();
      const answer = link.nc.request(subject, payload, { ...options, timeout });
      link.trackRequest(answer);
      return answer;
    };
    const timeout = options.timeout > 0 ? options.timeout : 1000;
    if (this.enter('request') === 'send') return send(timeout);
    return this.#outbox.request({ subject, payload, headers: options.headers }, timeout, send, () => {
      throw new errors.TimeoutError();
    });
  }

  async requestMany(
    subject: string,
    payload: Payload = EMPTY,
    options: Partial<RequestManyOptions> = { maxWait: 1000, maxMessages: -1 },
  ): Promise<AsyncIterable<Msg>> {
    const send = async (maxWait: number): Promise<AsyncIterable<Msg>> => {
      const link = this.#host.link();
      const answers = await link.nc.requestMany(subject, payload, { ...options, maxWait });
      if (answers instanceof QueuedIteratorImpl) link.trackRequest(answers.iterClosed);
      return answers;
    };
    const maxWait = options.maxWait ?? 1000;
    if (this.enter('request') === 'send') return send(maxWait);
    return this.#outbox.request({ subject, payload, headers: options.headers }, maxWait, send, () => {
      const none = new QueuedIteratorImpl<Msg>();
      none.stop();
      return none;
    });
  }

  /** Waits for the end of an outage, and until the server has all messages. */
  async flush(): Promise<void> {
    while (this.enter('flush') === 'keep') await this.whenReady();
    return this.#host.link().nc.flush();
  }

  /** Resolves when the buffer has been sent, or the connection is closed. */
  whenReady(): Promise<void> {
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  /** Buffers from now on. Undone by the same number of {@link unhold} calls, and then {@link release}. */
  hold(): void {
    this.#held += 1;
  }

  unhold(): void {
    this.#held -= 1;
  }

  /** Sends the buffered messages if the connection accepts them. Sends all at once, so that nothing interleaves. */
  release(): void {
    const { phase, up, held } = this.flow;
    if (phase === 'closed' || !up || held) return;
    const { messages, bytes } = this.kept;
    const { events } = this.#host;
    this.#outbox.sendAll(
      (...message) => this.#host.link().nc.publish(...message),
      (subject, error) => events.emit({ type: 'messageRefused', subject, error }),
    );
    if (messages > 0) events.emit({ type: 'bufferSent', messages, bytes });
    this.#wake();
  }

  /**
   * Sets the payload limit of the current server. During an outage it is unknown; the next server's is probably the
   * same.
   */
  setMaxPayload(maxPayload: number | undefined): void {
    this.#outbox.maxPayload = maxPayload ?? this.#outbox.maxPayload;
  }

  /** Empties the buffer. @returns undefined if it was empty */
  drop(why: string, cause?: Error): UndeliveredError | undefined {
    const dropped = this.#outbox.clear();
    if (dropped.messages === 0) return undefined;
    this.#host.events.emit({ type: 'undelivered', ...dropped });
    return new UndeliveredError(dropped.messages, dropped.bytes, why, { cause });
  }

  /** Called when the connection is closed: rejects queued requests, and wakes waiters. */
  end(): void {
    this.#outbox.reject(new errors.ClosedConnectionError());
    this.#wake();
  }

  #wake(): void {
    for (const resolve of this.#waiters.splice(0)) resolve();
  }
}

const EMPTY = new Uint8Array(0);

import type {
  Msg,
  MsgCallback,
  NatsConnection,
  Status,
  Subscription,
  SubscriptionOptions,
} from '@nats-io/transport-node';
import { deferred, QueuedIteratorImpl } from '@nats-io/nats-core/internal';

/** A subscription of a {@link MemoryClient}. */
export interface MemorySubscription {
  subject: string;
  queue: string | undefined;
  max: number | undefined;
  callback: MsgCallback<Msg>;
  end: (error?: Error) => void;
}

/**
 * The part of a client's connection that Zester's connection uses, in memory, for tests of its decisions. Tests with a
 * real server are in `test/integration/connection/`.
 */
export class MemoryClient {
  readonly published: string[] = [];
  readonly subscriptions = new Set<MemorySubscription>();
  /** Whether the server answers. */
  answers = true;
  closes = 0;
  reconnects = 0;
  readonly #server: string;
  readonly #statuses = new QueuedIteratorImpl<Status>();
  readonly #closed = deferred<void | Error>();

  constructor(server = 'a:4222') {
    this.#server = server;
  }

  /** The transport of a connection. */
  get nc(): NatsConnection {
    const ok = (): Promise<void> =>
      this.answers ? Promise.resolve() : Promise.reject(new Error('no answer'));
    return {
      info: { max_payload: 1_048_576 },
      publish: (subject: string, payload: Uint8Array | string = '') =>
        void this.published.push(`${subject} ${Buffer.from(payload).toString()}`.trim()),
      subscribe: (subject: string, options: SubscriptionOptions) => this.#subscribe(subject, options),
      flush: ok,
      rtt: async () => ok().then(() => 1),
      drain: () => this.#end(),
      close: () => this.#end(),
      reconnect: async () => void (this.reconnects += 1),
      closed: () => this.#closed,
      isClosed: () => this.closes > 0,
      status: () => this.#statuses,
      stats: () => ({ inBytes: 0, outBytes: 0, inMsgs: 0, outMsgs: this.published.length }),
      getServer: () => this.#server,
    } as unknown as NatsConnection;
  }

  /** Emits a status, like the client, and lets listeners run. */
  async emit(type: 'disconnect' | 'reconnect' | 'error', error = new Error('refused')): Promise<void> {
    this.#statuses.push((type === 'error' ? { type, error } : { type, server: this.#server }) as Status);
    await settled();
  }

  /** Delivers a message to the subscribers of its subject; each queue group gets it once. */
  deliver(subject: string, reply?: string): void {
    const seen = new Set<string>();
    for (const { subject: at, queue, callback } of this.subscriptions) {
      if (at !== subject || (queue !== undefined && seen.has(queue))) continue;
      if (queue !== undefined) seen.add(queue);
      void callback(null, { subject, reply, data: new Uint8Array(0) } as unknown as Msg);
    }
  }

  /** Closes the connection, as the client does when it gives up. */
  async fail(error: Error): Promise<void> {
    this.closes += 1;
    this.#closed.resolve(error);
    await settled();
  }

  async #end(): Promise<void> {
    this.closes += 1;
    for (const { end } of [...this.subscriptions]) end();
    this.#closed.resolve(undefined);
    await settled();
  }

  #subscribe(subject: string, { queue, max, callback }: SubscriptionOptions): Subscription {
    const closed = deferred<void | Error>();
    let open = true;
    const sub: MemorySubscription = {
      subject,
      queue,
      max,
      callback: callback as MsgCallback<Msg>,
      end: (error) => {
        open = false;
        this.subscriptions.delete(sub);
        closed.resolve(error);
      },
    };
    this.subscriptions.add(sub);
    return {
      closed,
      isClosed: () => !open,
      unsubscribe: () => sub.end(),
      drain: async () => sub.end(),
      getID: () => 1,
    } as unknown as Subscription;
  }
}

/** Lets the reactions of settled promises run. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise(setImmediate);
}

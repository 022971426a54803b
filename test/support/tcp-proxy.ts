import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

interface Pair {
  client: Socket;
  upstream: Socket;
}

/**
 * A TCP proxy on loopback with the faults of real networks: cuts, stalls, half-open sockets and slow links. It forwards
 * bytes unchanged, and keeps them, so that a test can check what was on the wire.
 */
export class TcpProxy {
  readonly #pairs = new Set<Pair>();
  readonly #server;
  readonly #target: () => number;
  #port = 0;
  #stalled = false;
  #chunkBytes = Number.POSITIVE_INFINITY;
  #chunkDelayMs = 0;
  #refusing = false;
  #last: { text: string; isDelivered: boolean; refuseOthers: boolean } | undefined;
  /** Connections accepted so far. */
  accepted = 0;
  /** All input from clients. */
  readonly fromClients: Buffer[] = [];

  private constructor(target: () => number) {
    this.#target = target;
    this.#server = createServer((client) => this.#accept(client));
  }

  /** Listens on a free port, and forwards each connection to the port that `target` returns. */
  static async start(target: () => number): Promise<TcpProxy> {
    const proxy = new TcpProxy(target);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    proxy.#port = (proxy.#server.address() as AddressInfo).port;
    return proxy;
  }

  get port(): number {
    return this.#port;
  }

  get url(): string {
    return `nats://127.0.0.1:${this.#port}`;
  }

  get open(): number {
    return this.#pairs.size;
  }

  /** Resets every connection, like a router that lost its state. */
  cut(): void {
    for (const { client, upstream } of [...this.#pairs]) {
      client.resetAndDestroy();
      upstream.destroy();
    }
  }

  /** Stalls both directions silently. */
  stall(): void {
    this.#stalled = true;
    for (const { client, upstream } of this.#pairs) {
      client.pause();
      upstream.pause();
    }
  }

  /**
   * A connection over which a client sends this text stalls with it, like one whose server is busy with that request.
   *
   * @param options.isDelivered whether the server gets the text; true by default
   * @param options.refuseOthers whether new connections are reset from then on
   */
  stallWith(text: string, { isDelivered = true, refuseOthers = false } = {}): void {
    this.#last = { text, isDelivered, refuseOthers };
  }

  /** Resumes, and forwards held-back data. */
  resume(): void {
    this.#stalled = false;
    for (const { client, upstream } of this.#pairs) {
      client.resume();
      upstream.resume();
    }
  }

  /** Closes the server's side; the client's side stays open and discards its input. New connections work. */
  halfOpen(): void {
    for (const pair of [...this.#pairs]) {
      this.#pairs.delete(pair);
      pair.upstream.removeAllListeners();
      pair.client.removeAllListeners();
      pair.upstream.on('error', () => undefined).destroy();
      pair.client.on('error', () => undefined).on('data', () => undefined);
      this.#swallowed.add(pair.client);
    }
  }

  readonly #swallowed = new Set<Socket>();

  /** Forwards at most `bytes` at a time, every `delayMs`. */
  slow(bytes: number, delayMs: number): void {
    this.#chunkBytes = bytes;
    this.#chunkDelayMs = delayMs;
  }

  /** New connections are reset. */
  refuse(refusing: boolean): void {
    this.#refusing = refusing;
  }

  async close(): Promise<void> {
    this.cut();
    for (const socket of this.#swallowed) socket.destroy();
    this.#server.close();
    if (this.#server.listening) await once(this.#server, 'close');
  }

  #accept(client: Socket): void {
    if (this.#refusing) {
      client.resetAndDestroy();
      return;
    }
    this.accepted += 1;
    const upstream = connect(this.#target(), '127.0.0.1');
    const pair = { client, upstream };
    this.#pairs.add(pair);
    client.setNoDelay(true);
    upstream.setNoDelay(true);
    const end = (): void => {
      this.#pairs.delete(pair);
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) socket.on('error', end).on('close', end);
    client.on('data', (data: Buffer) => {
      this.fromClients.push(data);
      if (this.#last === undefined || !data.includes(this.#last.text)) return;
      this.#refusing ||= this.#last.refuseOthers;
      client.pause();
      upstream.pause();
    });
    this.#pass(
      client,
      upstream,
      (data) => this.#last?.isDelivered === false && data.includes(this.#last.text),
    );
    this.#pass(upstream, client);
    if (this.#stalled) {
      client.pause();
      upstream.pause();
    }
  }

  #pass(from: Socket, to: Socket, isLost: (data: Buffer) => boolean = () => false): void {
    let queue: Promise<void> = Promise.resolve();
    from.on('data', (data: Buffer) => {
      if (isLost(data)) return;
      if (this.#chunkBytes === Number.POSITIVE_INFINITY) {
        to.write(data);
        return;
      }
      queue = queue.then(async () => {
        for (let at = 0; at < data.length && !to.destroyed; at += this.#chunkBytes) {
          to.write(data.subarray(at, at + this.#chunkBytes));
          await new Promise((resolve) => setTimeout(resolve, this.#chunkDelayMs));
        }
      });
    });
  }
}

// Dials the client connections of a managed connection.
import type { NatsConnection } from '@nats-io/transport-node';
import { firstConnectError } from './connect-failure.js';
import type { OpenCredentials } from './credentials.js';
import { dial, type DialOptions } from './dial.js';
import type { ReconnectDelays } from './reconnect-delays.js';
import { ReconnectPause } from './reconnect-pause.js';
import { DIAL_TIMEOUT_MS } from '../timing.js';

/** Connects with the current credentials, and tracks which ones are in use. */
export class Dialer {
  readonly #options: DialOptions;
  readonly #credentials: OpenCredentials;
  readonly #delays: ReconnectDelays | ReconnectPause;
  /** The last JWT of the connection in use; a second connection counts only after the move to it. */
  inUse: string | undefined;

  constructor(options: DialOptions, credentials: OpenCredentials, delays: ReconnectDelays | ReconnectPause) {
    this.#options = {
      ...options,
      ...(delays instanceof ReconnectPause
        ? { pause: delays }
        : { reconnectDelayHandler: () => delays.next() }),
    };
    this.#credentials = credentials;
    this.#delays = delays;
  }

  /** Makes the next reconnect immediate. */
  hurry(): void {
    this.#delays.hurry();
  }

  /** Makes a pending attempt at once if its credentials differ from the last ones. */
  credentialsChanged(): void {
    const isOther = this.#current !== this.inUse;
    if (isOther && this.#delays instanceof ReconnectPause) this.#delays.hurryIfPausing();
  }

  /** Makes the first connection. @throws ConnectError */
  async first(): Promise<NatsConnection> {
    const { servers, timeout = DIAL_TIMEOUT_MS } = this.#options;
    try {
      const nc = await this.#dial(this.#options);
      this.inUse = this.#current;
      return nc;
    } catch (cause) {
      throw firstConnectError(cause, [servers ?? []].flat().join(', '), timeout);
    }
  }

  /** Makes a second connection. @param current the server of the first, as the client names it */
  second(current: string): Promise<NatsConnection> {
    return this.#dial(sameServerFirst(this.#options, current));
  }

  get #current(): string | undefined {
    return this.#credentials.source?.current?.jwt;
  }

  async #dial(options: DialOptions): Promise<NatsConnection> {
    let started = false;
    const nc = await dial({
      ...options,
      authenticator: (nonce?: string) => {
        const auth = this.#credentials.authenticator(nonce);
        if (started) this.inUse = this.#current;
        return auth;
      },
    });
    started = true;
    return nc;
  }
}

/**
 * The options of the second connection of a move, to the server of the first if possible, so that a queue group loses
 * no messages in transit between servers.
 *
 * @param current host and port of the first connection's server; empty: none
 */
export function sameServerFirst(options: DialOptions, current: string): DialOptions {
  if (current === '') return options;
  const servers = [options.servers ?? []].flat();
  const own = servers.find((url) => url.endsWith(`//${current}`));
  // an announced server, which the options allowed
  const first = own ?? (options.requireTls === true && options.tls ? `tls://${current}` : current);
  return { ...options, servers: [first, ...servers.filter((url) => url !== own)], noRandomize: true };
}

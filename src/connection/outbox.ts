// Queues messages and requests during an outage, and sends them in order.
import {
  errors,
  headers as newHeaders,
  type MsgHdrs,
  type Payload,
  type PublishOptions,
} from '@nats-io/transport-node';
import { MsgHdrsImpl } from '@nats-io/nats-core/internal';
import { ReconnectBuffer, sizeOf } from './reconnect-buffer.js';

/** Publishes a buffered message. */
export type PublishKept = (subject: string, payload: Uint8Array, options: PublishOptions) => void;

/**
 * Messages and requests queued until the end of an outage, in order. They are validated like in a connected client.
 */
export class Outbox {
  /** The last server's limit; during an outage, the next server's is unknown, but probably the same. */
  maxPayload: number | undefined;
  readonly #buffer: ReconnectBuffer;
  /** Rejects the requests that are still queued. */
  readonly #waiting = new Set<(error: Error) => void>();

  /** @param maxBytes the limit; see {@link ReconnectBuffer} */
  constructor(maxBytes: number | undefined) {
    this.#buffer = new ReconnectBuffer(maxBytes);
  }

  get kept(): { messages: number; bytes: number } {
    return { messages: this.#buffer.messages, bytes: this.#buffer.bytes };
  }

  /** Buffers a message. @throws ReconnectBufferExceededError, and the errors with which the client would refuse it */
  publish(subject: string, payload: Payload, options: PublishOptions): void {
    const headers = encodeHeaders(withTrace(options));
    const bytes = this.#check(subject, payload, headers, options.reply);
    this.#buffer.addPublish({ subject, reply: options.reply ?? '', headers, payload: bytes });
  }

  /**
   * Buffers a request.
   *
   * @param timeout milliseconds from now
   * @param send sends it after the outage, with the milliseconds that are left
   * @param onTimeout returns the outcome if the outage does not end in time
   */
  request<T>(
    { subject, payload, headers: given }: { subject: string; payload: Payload; headers: MsgHdrs | undefined },
    timeout: number,
    send: (left: number) => Promise<T>,
    onTimeout: () => T,
  ): Promise<T> {
    const headers = encodeHeaders(given);
    const size = sizeOf(subject, '', headers, this.#check(subject, payload, headers, undefined).length);
    return this.#inTurn(size, timeout, send, onTimeout);
  }

  /**
   * Sends everything in order.
   *
   * @param refused called for each message on which `publish` threw
   */
  sendAll(publish: PublishKept, refused: (subject: string, error: Error) => void): void {
    this.#buffer.drain(({ subject, reply, headers, payload }) => {
      try {
        publish(subject, payload, {
          ...(reply !== '' && { reply }),
          ...(headers !== undefined && { headers: MsgHdrsImpl.decode(headers) }),
        });
      } catch (error) {
        refused(subject, error as Error);
      }
    });
  }

  /** Empties the buffer, and returns its size. {@link reject} rejects the requests in it. */
  clear(): { messages: number; bytes: number } {
    return this.#buffer.clear();
  }

  /** Rejects the requests that are still queued. */
  reject(error: Error): void {
    for (const reject of [...this.#waiting]) reject(error);
  }

  /** Queues an action, and runs it with what is left of `timeout`. */
  #inTurn<T>(
    size: number,
    timeout: number,
    send: (left: number) => Promise<T>,
    onTimeout: () => T,
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const deadline = Date.now() + timeout;
      let over = false;
      const end = (): void => {
        over = true;
        clearTimeout(timer);
        this.#waiting.delete(closed);
      };
      const closed = (error: Error): void => {
        end();
        reject(error);
      };
      const release = this.#buffer.addTask(size, () => {
        if (over) return;
        end();
        send(Math.max(1, deadline - Date.now())).then(resolve, reject);
      });
      const timer = setTimeout(() => {
        end();
        release();
        try {
          resolve(onTimeout());
        } catch (error) {
          reject(error as Error);
        }
      }, timeout);
      this.#waiting.add(closed);
    });
  }

  /** Validates like a connected client. @returns the payload as bytes */
  #check(
    subject: string,
    payload: Payload,
    headers: Uint8Array | undefined,
    reply: string | undefined,
  ): Uint8Array {
    for (const checked of reply === undefined || reply === '' ? [subject] : [subject, reply]) {
      if (typeof checked !== 'string' || checked === '' || /[ \n\r\t]/.test(checked)) {
        throw new errors.InvalidSubjectError(checked);
      }
    }
    if (typeof payload !== 'string' && !(payload instanceof Uint8Array)) {
      throw new TypeError('payload types can be strings or Uint8Array');
    }
    const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload;
    if (this.maxPayload !== undefined && bytes.length + (headers?.length ?? 0) > this.maxPayload) {
      throw errors.InvalidArgumentError.format('payload', 'max_payload size exceeded');
    }
    return bytes;
  }
}

/** The headers that the client adds for tracing. */
function withTrace(options: PublishOptions): MsgHdrs | undefined {
  const { traceOnly, traceDestination } = options;
  if (traceOnly === undefined && traceDestination === undefined) return options.headers;
  const headers = options.headers ?? newHeaders();
  if (traceOnly !== undefined) headers.set('Nats-Trace-Only', 'true');
  if (traceDestination !== undefined) headers.set('Nats-Trace-Dest', traceDestination);
  return headers;
}

function encodeHeaders(headers: MsgHdrs | undefined): Uint8Array | undefined {
  return headers === undefined ? undefined : (headers as MsgHdrsImpl).encode();
}

// Buffers messages published during an outage, up to a byte limit.
import { ReconnectBufferExceededError } from '../errors.js';
import { MessageQueue, type QueuedPublish, type QueuedTask } from './message-queue.js';

/** The default limit of the reconnect buffer: 8 MiB. */
export const DEFAULT_RECONNECT_BUFFER_BYTES = 8 * 1024 * 1024;

/**
 * Messages published during an outage, in order and up to an exact limit. Subject, reply subject, headers and payload
 * count, in bytes as on the wire.
 */
export class ReconnectBuffer {
  readonly maxBytes: number;
  readonly #queue = new MessageQueue();
  #bytes = 0;
  #messages = 0;
  /** The number of times the buffer was emptied: an older reservation must not be released any more. */
  #epoch = 0;

  constructor(maxBytes: number = DEFAULT_RECONNECT_BUFFER_BYTES) {
    this.maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get messages(): number {
    return this.#messages;
  }

  /** @throws ReconnectBufferExceededError when the message does not fit; accepted messages are kept */
  addPublish(message: QueuedPublish): void {
    this.#reserve(sizeOf(message.subject, message.reply, message.headers, message.payload.length));
    this.#queue.pushPublish(message);
  }

  /**
   * Queues a task that counts for `size` bytes.
   *
   * @returns a function that releases the reservation of a cancelled task; the task must then do nothing
   * @throws ReconnectBufferExceededError
   */
  addTask(size: number, task: QueuedTask): () => void {
    this.#reserve(size);
    const epoch = this.#epoch;
    let counted = true;
    this.#queue.pushTask(task);
    return () => {
      if (!counted || epoch !== this.#epoch) return;
      counted = false;
      this.#bytes -= size;
      this.#messages -= 1;
    };
  }

  /** Hands out everything in order. The buffer is already empty when the first item is handed out. */
  drain(publish: (message: QueuedPublish) => void): void {
    this.#reset();
    this.#queue.drain(publish);
  }

  /** Discards everything, and returns the amount. */
  clear(): { messages: number; bytes: number } {
    const dropped = { messages: this.#messages, bytes: this.#bytes };
    this.#queue.clear();
    this.#reset();
    return dropped;
  }

  #reserve(size: number): void {
    if (this.#bytes + size > this.maxBytes) {
      throw new ReconnectBufferExceededError(this.maxBytes, this.#bytes, size);
    }
    this.#bytes += size;
    this.#messages += 1;
  }

  #reset(): void {
    this.#epoch += 1;
    this.#bytes = 0;
    this.#messages = 0;
  }
}

/** The size of a message in the buffer, in bytes. */
export function sizeOf(
  subject: string,
  reply: string,
  headers: Uint8Array | undefined,
  payload: number,
): number {
  return Buffer.byteLength(subject) + Buffer.byteLength(reply) + (headers?.length ?? 0) + payload;
}

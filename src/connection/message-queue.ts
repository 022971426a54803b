// The bounded FIFO queue behind the reconnect buffer.

/** The parts of a publish. `headers` are encoded as on the wire. */
export interface QueuedPublish {
  subject: string;
  reply: string;
  headers: Uint8Array | undefined;
  payload: Uint8Array;
}

/** A queued action that is not a plain publish: a request. */
export type QueuedTask = () => void;

const CHUNK_BYTES = 64 * 1024;
/** The first byte of an entry: flags for its fields. */
const IS_TASK = 1;
const HAS_REPLY = 2;
const HAS_HEADERS = 4;
/** Same subject as the message before it in the chunk, so it is not stored again. */
const SAME_SUBJECT = 8;
/** The payload has its own buffer, outside the chunks. */
const IS_LARGE = 16;
/** From this size on, a separate object is cheap, and packing would waste the end of a chunk. */
const LARGE_BYTES = 4 * 1024;

/**
 * An ordered queue of messages with little memory overhead. Messages are packed into chunks, with one byte of flags
 * per message and a length of one to four bytes before each field; a repeated subject is stored once. One object per
 * message would cost some hundred bytes.
 */
export class MessageQueue {
  readonly #chunks: Chunk[] = [];
  readonly #tasks: QueuedTask[] = [];
  readonly #large: Uint8Array[] = [];

  /** Adds a message. Copies its bytes, so the caller may reuse its buffer. */
  pushPublish({ subject, reply, headers, payload }: QueuedPublish): void {
    const fields: Uint8Array[] = [];
    let flags = 0;
    if (payload.length >= LARGE_BYTES) {
      flags |= IS_LARGE;
      this.#large.push(new Uint8Array(payload));
    } else {
      fields.push(payload);
    }
    if (headers !== undefined) {
      flags |= HAS_HEADERS;
      fields.unshift(headers);
    }
    if (reply !== '') {
      flags |= HAS_REPLY;
      fields.unshift(Buffer.from(reply));
    }
    const subjectBytes = Buffer.from(subject);
    const size = [subjectBytes, ...fields].reduce((sum, field) => sum + MAX_LENGTH_BYTES + field.length, 1);
    const chunk = this.#chunkFor(size);
    if (chunk.lastSubject === subject) flags |= SAME_SUBJECT;
    else fields.unshift(subjectBytes);
    chunk.lastSubject = subject;
    chunk.bytes[chunk.end++] = flags;
    for (const field of fields) chunk.end = writeField(chunk.bytes, chunk.end, field);
  }

  /** Adds a task in order. */
  pushTask(task: QueuedTask): void {
    const chunk = this.#chunkFor(1);
    chunk.bytes[chunk.end++] = IS_TASK;
    this.#tasks.push(task);
  }

  /**
   * Removes everything in order. Each chunk is released once it is read; payloads are views of it, and stay valid as
   * long as the receiver references them.
   */
  drain(publish: (message: QueuedPublish) => void): void {
    const chunks = this.#chunks.splice(0);
    const tasks = this.#tasks.splice(0);
    const large = this.#large.splice(0);
    let nextTask = 0;
    let nextLarge = 0;
    for (let chunk = chunks.shift(); chunk !== undefined; chunk = chunks.shift()) {
      const reader = new FieldReader(chunk.bytes);
      let subject = '';
      while (reader.offset < chunk.end) {
        const flags = chunk.bytes[reader.offset++] ?? 0;
        if (flags & IS_TASK) {
          tasks[nextTask++]?.();
          continue;
        }
        if (!(flags & SAME_SUBJECT)) subject = reader.text();
        const reply = flags & HAS_REPLY ? reader.text() : '';
        const headers = flags & HAS_HEADERS ? reader.field() : undefined;
        const payload = flags & IS_LARGE ? (large[nextLarge] ?? EMPTY) : reader.field();
        // release it once it is handed over
        if (flags & IS_LARGE) large[nextLarge++] = EMPTY;
        publish({ subject, reply, headers, payload });
      }
    }
  }

  /** Discards everything. */
  clear(): void {
    this.#chunks.length = 0;
    this.#tasks.length = 0;
    this.#large.length = 0;
  }

  /** The last chunk, or a new one if the last has no room for `size` bytes. */
  #chunkFor(size: number): Chunk {
    const last = this.#chunks.at(-1);
    if (last !== undefined && last.bytes.length - last.end >= size) return last;
    const chunk: Chunk = {
      bytes: new Uint8Array(Math.max(size, CHUNK_BYTES)),
      end: 0,
      lastSubject: undefined,
    };
    this.#chunks.push(chunk);
    return chunk;
  }
}

const EMPTY = new Uint8Array(0);

interface Chunk {
  bytes: Uint8Array;
  end: number;
  lastSubject: string | undefined;
}

/** Enough for the length of any NATS message (at most 64 MiB). */
const MAX_LENGTH_BYTES = 4;

/** Length as a LEB128 number, then the bytes. */
function writeField(bytes: Uint8Array, at: number, field: Uint8Array): number {
  let offset = at;
  let length = field.length;
  while (length >= 0x80) {
    bytes[offset++] = (length & 0x7f) | 0x80;
    length >>>= 7;
  }
  bytes[offset++] = length;
  bytes.set(field, offset);
  return offset + field.length;
}

class FieldReader {
  offset = 0;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  field(): Uint8Array {
    let length = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.#bytes[this.offset++] ?? 0;
      length += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) break;
    }
    const field = this.#bytes.subarray(this.offset, this.offset + length);
    this.offset += length;
    return field;
  }

  text(): string {
    const { buffer, byteOffset, byteLength } = this.field();
    return Buffer.from(buffer, byteOffset, byteLength).toString('utf8');
  }
}

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MessageQueue, type QueuedPublish } from '../../src/connection/message-queue.js';

type Entry = { kind: 'publish'; message: QueuedPublish } | { kind: 'task'; id: number };

const bytes = (maxLength: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ maxLength });
const subject = fc.constantFrom('a', 'b.c', 'zester.event.web-01.alive', 'ü.ö');
const entry: fc.Arbitrary<Entry> = fc.oneof(
  fc.record({
    kind: fc.constant('publish' as const),
    message: fc.record({
      subject,
      reply: fc.oneof(fc.constant(''), subject),
      headers: fc.oneof(fc.constant(undefined), bytes(300)),
      payload: fc.oneof(bytes(10), bytes(70_000)),
    }),
  }),
  fc.record({ kind: fc.constant('task' as const), id: fc.nat() }),
);

describe('a message queue', () => {
  it('yields messages and tasks in order', () => {
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 60 }), (entries) => {
        const queue = new MessageQueue();
        const out: Entry[] = [];
        for (const item of entries) {
          if (item.kind === 'publish') queue.pushPublish(item.message);
          else queue.pushTask(() => out.push(item));
        }
        queue.drain((message) => out.push({ kind: 'publish', message: structuredClone(message) }));
        expect(out).toEqual(entries);
      }),
    );
  });

  it('is empty after it was drained or cleared, and can be used again', () => {
    const queue = new MessageQueue();
    const message = { subject: 'a', reply: '', headers: undefined, payload: new Uint8Array([1]) };
    const out: string[] = [];
    queue.pushPublish(message);
    queue.clear();
    queue.pushPublish({ ...message, subject: 'b' });
    queue.drain((m) => out.push(m.subject));
    queue.drain((m) => out.push(m.subject));
    queue.pushPublish({ ...message, subject: 'c' });
    queue.drain((m) => out.push(m.subject));
    expect(out).toEqual(['b', 'c']);
  });

  it('copies its input: the caller may reuse the buffer', () => {
    const queue = new MessageQueue();
    const payload = new Uint8Array([1, 2, 3]);
    queue.pushPublish({ subject: 'a', reply: '', headers: undefined, payload });
    payload.fill(0);
    const out: number[][] = [];
    queue.drain((m) => out.push([...m.payload]));
    expect(out).toEqual([[1, 2, 3]]);
  });
});

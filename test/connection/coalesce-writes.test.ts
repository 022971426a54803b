import { connect } from '@nats-io/transport-node';
import { Writable } from 'node:stream';
import { expect, it } from 'vitest';
import { coalesceWrites } from '../../src/connection/coalesce-writes.js';
import { dial } from '../../src/connection/dial.js';
import { atEnd } from '../support/cleanup.js';
import { startManaged } from '../support/managed-server.js';
import { tempDir } from '../support/temp-dir.js';

/** A transport on a stream that records each write. */
function recorder() {
  const writes: string[] = [];
  const socket = new Writable({
    write(chunk: Buffer, _encoding, done) {
      writes.push(String(chunk));
      done();
    },
    writev(chunks, done) {
      writes.push(chunks.map(({ chunk }) => String(chunk)).join(''));
      done();
    },
  });
  const transport = {
    socket,
    send: (frame: Uint8Array) => void socket.write(frame),
    close: () => Promise.resolve(void socket.destroy()),
  };
  const time = { ms: 0 };
  coalesceWrites(transport, () => time.ms);
  return { writes, transport, time, send: (text: string) => transport.send(Buffer.from(text)) };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

it('sends what the microtasks of a callback send in one write, in order', async () => {
  const { writes, send } = recorder();
  await turn();
  for (const text of ['a', 'b', 'c']) {
    send(text);
    await Promise.resolve();
  }
  expect(writes).toEqual([]);
  await turn();
  expect(writes).toEqual(['abc']);
  send('d');
  await turn();
  expect(writes).toEqual(['abc', 'd']);
});

it('does not hold an answer while microtasks work on other requests', async () => {
  const { writes, time, send } = recorder();
  const answered: number[] = [];
  for (const text of ['a', 'b', 'c', 'd']) {
    await Promise.resolve();
    time.ms += 6;
    send(text);
    answered.push(writes.join('').length);
  }
  // the first one is held once; then each is late
  expect(answered).toEqual([0, 2, 3, 4]);
  await turn();
  send('e');
  expect(writes.at(-1)).toBe('d');
  await turn();
  expect(writes.at(-1)).toBe('e');
});

it('writes what was sent before it closes the socket', async () => {
  const { writes, transport, send } = recorder();
  send('a');
  await transport.close();
  expect(writes).toEqual(['a']);
});

it('does nothing to a socket that was destroyed meanwhile', async () => {
  const { writes, transport, send } = recorder();
  send('a');
  transport.socket.destroy();
  await turn();
  expect(writes).toEqual([]);
});

it('delivers what was published just before a connection is closed', async () => {
  const { url } = await startManaged(await tempDir(), (port) => `listen: 127.0.0.1:${port}`);
  const receiver = await connect({ servers: url });
  atEnd(() => receiver.close());
  const messages = receiver.subscribe('last.words', { max: 3 });
  await receiver.flush();
  const sender = await dial({ servers: url });
  for (const word of ['one', 'two', 'three']) sender.publish('last.words', word);
  await Promise.resolve();
  await sender.close();
  const received: string[] = [];
  for await (const message of messages) received.push(message.string());
  expect(received).toEqual(['one', 'two', 'three']);
});

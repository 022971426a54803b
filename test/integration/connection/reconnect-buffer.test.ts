import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { Kvm } from '@nats-io/kv';
import { connect, errors, headers } from '@nats-io/transport-node';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { beforeAll, describe, expect, it } from 'vitest';
import { withReconnectBuffer } from '../../../src/connection/with-reconnect-buffer.js';
import { ReconnectBufferExceededError, UndeliveredError } from '../../../src/errors.js';
import { atEnd } from '../../support/cleanup.js';
import { startOperatorServer, type OperatorServer } from '../../support/operator-server.js';
import { TcpProxy } from '../../support/tcp-proxy.js';
import { waitFor } from '../../support/wait-for.js';
import { otherSide, SHORT_WAITS, startPeel, status, works, into } from './support.js';

let server: OperatorServer;
beforeAll(async () => {
  server = await startOperatorServer();
});

/** Kills the server like a power cut, and waits until the peel has noticed. */
async function outage(peel: Awaited<ReturnType<typeof startPeel>>): Promise<void> {
  const before = peel.statuses.filter((s) => s.type === 'disconnect').length;
  await server.kill('SIGKILL');
  await status(peel, 'disconnect', before + 1);
}

/** A peel that connects through a proxy, so that only this peel can be cut off. */
async function throughProxy(): Promise<{ peel: Awaited<ReturnType<typeof startPeel>>; proxy: TcpProxy }> {
  const proxy = await TcpProxy.start(() => server.port);
  atEnd(() => proxy.close());
  return { peel: await startPeel(server, { servers: proxy.url }), proxy };
}

/**
 * Cuts a peel off.
 *
 * @returns a function that ends the outage
 */
async function cut(peel: Awaited<ReturnType<typeof startPeel>>, proxy: TcpProxy): Promise<() => void> {
  proxy.refuse(true);
  proxy.cut();
  await status(peel, 'disconnect');
  return () => proxy.refuse(false);
}

async function cutOff(): Promise<{ peel: Awaited<ReturnType<typeof startPeel>>; end: () => void }> {
  const { peel, proxy } = await throughProxy();
  return { peel, end: await cut(peel, proxy) };
}

async function ensureUp(): Promise<void> {
  if (!server.server.isRunning) await server.start();
}

describe('messages published while the server is killed and restarted', () => {
  it('arrives all, in order, once, and before anything published after', async () => {
    const peel = await startPeel(server);
    await outage(peel);
    for (let i = 0; i < 5_000; i++) peel.nc.publish('log.entry', `during-${i}`);
    expect(peel.nc.buffered.messages).toBe(5_000);

    // this test subscribes on the same connection: no other subscriber is there when the server comes back
    const received: string[] = [];
    peel.nc.subscribe('log.>', { callback: into(received, (msg) => msg.string()) });
    await server.start();
    await status(peel, 'reconnect');
    for (let i = 0; i < 100; i++) peel.nc.publish('log.entry', `after-${i}`);
    await peel.nc.flush();

    expect(received).toEqual([
      ...Array.from({ length: 5_000 }, (_, i) => `during-${i}`),
      ...Array.from({ length: 100 }, (_, i) => `after-${i}`),
    ]);
    expect(peel.nc.buffered).toEqual({ messages: 0, bytes: 0 });
  });

  it('keeps its order through several outages in a row', async () => {
    const peel = await startPeel(server);
    const received: number[] = [];
    peel.nc.subscribe('count', { callback: into(received, (msg) => Number(msg.string())) });
    let n = 0;
    for (let round = 0; round < 4; round++) {
      await outage(peel);
      for (let i = 0; i < 500; i++) peel.nc.publish('count', String(n++));
      await server.start();
      await status(peel, 'reconnect', round + 1);
      await peel.nc.flush();
    }
    expect(received).toEqual(Array.from({ length: n }, (_, i) => i));
  });

  it('is the content at the time of publish, even if the buffer of the caller is used again', async () => {
    const peel = await startPeel(server);
    const received: string[] = [];
    peel.nc.subscribe('reused', { callback: into(received, (msg) => msg.string()) });
    await outage(peel);
    const reused = Buffer.from('first');
    peel.nc.publish('reused', reused);
    reused.write('XXXXX');
    await server.start();
    await peel.nc.flush();
    expect(received).toEqual(['first']);
  });

  it('passes headers, a reply subject and an empty payload', async () => {
    const peel = await startPeel(server);
    const received: { data: string; reply: string | undefined; header: string | undefined }[] = [];
    peel.nc.subscribe('rich.>', {
      callback: into(received, (msg) => ({
        data: msg.string(),
        reply: msg.reply === '' ? undefined : msg.reply,
        header: msg.headers?.get('Trace'),
      })),
    });
    await outage(peel);
    const h = headers();
    h.set('Trace', 'ü 42');
    peel.nc.publish('rich.a', 'payload', { headers: h, reply: 'answers.here' });
    peel.nc.publish('rich.b');
    await server.start();
    await peel.nc.flush();
    expect(received).toEqual([
      { data: 'payload', reply: 'answers.here', header: 'ü 42' },
      { data: '', reply: undefined, header: undefined },
    ]);
  });
});

describe('the bound of the reconnect buffer', () => {
  it('is exact to the byte: subject, headers and payload count, and one more byte throws without a loss', async () => {
    const peel = await startPeel(server, { reconnectBufferSize: 1_000 });
    const received: number[] = [];
    peel.nc.subscribe('b', { callback: into(received, (msg) => msg.data.length) });
    await outage(peel);
    peel.nc.publish('b', new Uint8Array(899)); // 900 with the subject
    const h = headers();
    h.set('K', 'v'); // NATS/1.0\r\nK: v\r\n\r\n is 18 bytes
    peel.nc.publish('b', new Uint8Array(80), { headers: h }); // 99: 999 in all
    expect(peel.nc.buffered).toEqual({ messages: 2, bytes: 999 });
    expect(() => peel.nc.publish('b', 'x')).toThrow(ReconnectBufferExceededError);
    peel.nc.subscribe('c', { callback: into(received, () => -1) });
    expect(() => peel.nc.publish('c', '')).not.toThrow(); // 1 byte: exactly full
    expect(peel.nc.buffered.bytes).toBe(1_000);
    expect(() => peel.nc.publish('c', '')).toThrow(
      expect.objectContaining({
        code: 'ERR_RECONNECT_BUFFER_EXCEEDED',
        maxBytes: 1_000,
        bufferedBytes: 1_000,
      }) as Error,
    );
    await server.start();
    await peel.nc.flush();
    expect(received).toEqual([899, 80, -1]);
  });

  // with its subject of ten characters each; 40,000 and 300,000 do not fit a round number of times into anything
  it.each([16, 128, 1_024, 40_000, 300_000])(
    'is 8 MiB by default, and memory stays within it and ten percent, with messages of %i bytes',
    async (size) => {
      const peel = await startPeel(server);
      await outage(peel);
      // collect garbage first, for an accurate measurement
      setFlagsFromString('--expose-gc');
      const gc = runInNewContext('gc') as () => void;
      const payload = new Uint8Array(size - 10);
      const bound = 8 * 1024 * 1024;
      const count = Math.floor(bound / size);
      const memory = (): number => {
        gc();
        const { heapUsed, external } = process.memoryUsage();
        return heapUsed + external;
      };
      const before = memory();
      for (let i = 0; i < count; i++) peel.nc.publish('ten.chars1', payload);
      expect(peel.nc.buffered).toEqual({ messages: count, bytes: count * size });
      expect(memory() - before).toBeLessThan(bound * 1.1);
      expect(() => peel.nc.publish('ten.chars1', payload)).toThrow(ReconnectBufferExceededError);
      await server.start();
      await peel.nc.flush();
      expect(peel.events.find((e) => e.type === 'bufferSent')).toBeDefined();
    },
  );

  it('of 0 turns it off: publishing during an outage throws at once', async () => {
    const peel = await startPeel(server, { reconnectBufferSize: 0 });
    await outage(peel);
    expect(() => peel.nc.publish('x', 'y')).toThrow(ReconnectBufferExceededError);
    await server.start();
    await status(peel, 'reconnect');
    await works(peel.nc);
  });

  it('rejects the same messages during an outage as when connected', async () => {
    const peel = await startPeel(server);
    await outage(peel);
    expect(() => peel.nc.publish('', 'x')).toThrow(errors.InvalidSubjectError);
    expect(() => peel.nc.publish('a b', 'x')).toThrow(errors.InvalidSubjectError);
    expect(() => peel.nc.publish('a', 5 as unknown as string)).toThrow(TypeError);
    expect(() => peel.nc.publish('a', new Uint8Array(1024 * 1024 + 1))).toThrow(/max_payload/);
    expect(peel.nc.buffered).toEqual({ messages: 0, bytes: 0 });
    await server.start();
    await works(peel.nc);
  });
});

describe('a request made during an outage', () => {
  it('is sent after it and answered', async () => {
    const responder = await otherSide(server);
    responder.subscribe('svc', { callback: (_error, msg) => void msg.respond(`re:${msg.string()}`) });
    await responder.flush();
    const { peel, end } = await cutOff();
    const answer = peel.nc.request('svc', 'one', { timeout: 10_000 });
    const noMux = peel.nc.request('svc', 'two', { timeout: 10_000, noMux: true });
    const many = peel.nc.requestMany('svc', 'three', { maxWait: 10_000, maxMessages: 1, strategy: 'count' });
    expect(peel.nc.buffered.messages).toBe(3);
    end();
    expect((await answer).string()).toBe('re:one');
    expect((await noMux).string()).toBe('re:two');
    const answers: string[] = [];
    for await (const msg of await many) answers.push(msg.string());
    expect(answers).toEqual(['re:three']);
  });

  it('times out as usual in a longer outage, and frees its bytes', async () => {
    const peel = await startPeel(server);
    await outage(peel);
    const answer = peel.nc.request('svc', 'question', { timeout: 300 });
    expect(peel.nc.buffered).toEqual({ messages: 1, bytes: 'svcquestion'.length });
    await expect(answer).rejects.toThrow(errors.TimeoutError);
    expect(peel.nc.buffered).toEqual({ messages: 0, bytes: 0 });
    const many = await peel.nc.requestMany('svc', 'q', { maxWait: 100 });
    for await (const msg of many) expect.unreachable(`nobody could answer, and ${msg.subject} did`);
    await server.start();
    await works(peel.nc);
  });
});

describe('drain and close during an outage', () => {
  it('drain waits for the end of the outage and delivers', async () => {
    const observer = await otherSide(server);
    const received: string[] = [];
    observer.subscribe('last.words', { callback: into(received, (msg) => msg.string()) });
    await observer.flush();
    const { peel, end } = await cutOff();
    peel.nc.publish('last.words', 'goodbye');
    const drained = peel.nc.drain();
    end();
    await drained;
    expect(peel.nc.isClosed()).toBe(true);
    await waitFor('the last words', () => received.length > 0);
    expect(received).toEqual(['goodbye']);
  });

  it('drain ends in bounded time during an outage, and reports undelivered messages', async () => {
    const peel = await startPeel(server, { drainTimeout: 200 });
    await outage(peel);
    peel.nc.publish('x', 'one');
    peel.nc.publish('x', 'two');
    await expect(peel.nc.drain()).rejects.toMatchObject({ code: 'ERR_UNDELIVERED', messages: 2, bytes: 8 });
    expect(peel.nc.isClosed()).toBe(true);
    await ensureUp();
  });

  it('close ends at once; closed() and an event report undelivered messages', async () => {
    const peel = await startPeel(server);
    await outage(peel);
    peel.nc.publish('x', 'one');
    const request = peel.nc.request('svc', '', { timeout: 60_000 });
    const rejected = expect(request).rejects.toThrow(errors.ClosedConnectionError);
    await peel.nc.close();
    await rejected;
    const closed = await peel.nc.closed();
    expect(closed).toBeInstanceOf(UndeliveredError);
    expect(closed).toMatchObject({ messages: 2, bytes: 7 });
    expect(peel.events.filter((e) => e.type === 'undelivered')).toEqual([
      { type: 'undelivered', messages: 2, bytes: 7 },
    ]);
    expect(() => peel.nc.publish('x')).toThrow(errors.ClosedConnectionError);
    await ensureUp();
  });

  it('close with nothing kept resolves closed() without an error', async () => {
    const peel = await startPeel(server);
    await peel.nc.close();
    expect(await peel.nc.closed()).toBeUndefined();
  });
});

describe('clients built on the connection work', () => {
  it('JetStream publishes and KV puts made during an outage are acknowledged after it', async () => {
    const peel = await startPeel(server);
    const jsm = await jetstreamManager(peel.nc);
    await jsm.streams.add({ name: 'events', subjects: ['events.>'] });
    const js = jetstream(peel.nc, { timeout: 20_000 });
    const kv = await new Kvm(js).create('settings');
    await outage(peel);
    const acks = Promise.all([1, 2, 3].map((n) => js.publish('events.test', String(n), { retries: 20 })));
    const put = kv.put('color', 'green');
    await server.start();
    expect((await acks).map((ack) => ack.seq)).toEqual([1, 2, 3]);
    await put;
    expect((await kv.get('color'))?.string()).toBe('green');
  });

  it('a KV watch and a pull consumer continue after an outage', async () => {
    const peel = await startPeel(server);
    const js = jetstream(peel.nc);
    const kv = await new Kvm(js).create('watched');
    const seen: string[] = [];
    const watch = await kv.watch();
    void (async () => {
      for await (const entry of watch) seen.push(`${entry.key}=${entry.string()}`);
    })();
    await kv.put('a', '1');
    await waitFor('the first value', () => seen.includes('a=1'));
    await outage(peel);
    await server.start();
    await status(peel, 'reconnect');
    await waitFor('a put that is taken', async () => (await kv.put('a', '2').catch(() => 0)) > 0);
    await waitFor('the second value', () => seen.includes('a=2'), 40_000);
  }, 60_000);

  it('respond() to a request from before the outage is kept and sent', async () => {
    const asker = await otherSide(server);
    const { peel, proxy } = await throughProxy();
    let answerLater: (() => void) | undefined;
    peel.nc.subscribe('ask', {
      callback: (_error, msg) => {
        answerLater = () => msg.respond('late but there');
      },
    });
    await peel.nc.flush();
    const answer = asker.request('ask', '', { timeout: 20_000 });
    await waitFor('the request', () => answerLater);
    const end = await cut(peel, proxy);
    answerLater?.();
    expect(peel.nc.buffered.messages).toBe(1);
    end();
    expect((await answer).string()).toBe('late but there');
  });
});

describe('withReconnectBuffer', () => {
  it('adds the buffer to a connection of the client', async () => {
    const raw = await connect({
      ...(await server.userOptions('raw')),
      maxReconnectAttempts: -1,
      ...SHORT_WAITS,
    });
    const nc = withReconnectBuffer(raw, { maxBytes: 64 });
    atEnd(() => nc.close());
    const received: string[] = [];
    nc.subscribe('r', { callback: into(received, (msg) => msg.string()) });
    const lost = (async () => {
      for await (const s of nc.status()) if (s.type === 'disconnect') return;
    })();
    await server.kill('SIGKILL');
    await lost;
    nc.publish('r', 'kept');
    expect(() => nc.publish('r', new Uint8Array(64))).toThrow(ReconnectBufferExceededError);
    await server.start();
    await nc.flush();
    expect(received).toEqual(['kept']);
  });
});

import { jetstream } from '@nats-io/jetstream';
import { Kvm } from '@nats-io/kv';
import type { NatsConnection } from '@nats-io/transport-node';
import { beforeAll, describe, expect, it } from 'vitest';
import { ManagedConnection } from '../../../src/connection/managed-connection.js';
import { atEnd } from '../../support/cleanup.js';
import { startOperatorServer, type OperatorServer } from '../../support/operator-server.js';
import { TcpProxy } from '../../support/tcp-proxy.js';
import { waitFor } from '../../support/wait-for.js';
import {
  connectedUsers,
  event,
  otherSide,
  publicKeyOf,
  replaceByRename,
  startPeel,
  status,
  works,
  type TestPeel,
  into,
} from './support.js';

let server: OperatorServer;
beforeAll(async () => {
  server = await startOperatorServer();
});

/** Replaces the peel's credentials and waits until the connection uses them. */
async function rotate(peel: TestPeel, peelId = 'web-01'): Promise<void> {
  const key = await replaceByRename(peel.credsPath, await server.user(peelId));
  await waitFor('the rotation', () => peel.events.some((e) => e.type === 'rotated' && e.publicKey === key));
}

/** Publishes numbers to a subject at about this rate until it is stopped. */
function load(nc: NatsConnection, subject: string, perSecond: number): { stop(): Promise<number> } {
  let n = 0;
  const started = performance.now();
  const timer = setInterval(() => {
    const due = ((performance.now() - started) / 1000) * perSecond;
    while (n < due) nc.publish(subject, String(n++));
  }, 1);
  return {
    async stop() {
      clearInterval(timer);
      await nc.flush();
      return n;
    },
  };
}

describe('make before break', () => {
  it('loses and doubles nothing of 5,000 messages a second to a queue subscription over 20 rotations', async () => {
    const peel = await startPeel(server, { rotate: 'hitless' });
    const publisher = await otherSide(server);
    const received: number[] = [];
    peel.nc.subscribe('work', {
      queue: 'workers',
      callback: into(received, (msg) => Number(msg.string())),
    });
    await peel.nc.flush();
    const traffic = load(publisher, 'work', 5_000);
    for (let i = 0; i < 20; i++) await rotate(peel);
    const sent = await traffic.stop();
    await waitFor('the last message', () => received.length >= sent);
    await peel.nc.flush();
    expect(received.length).toBe(sent);
    expect(new Set(received).size).toBe(sent);
    expect(sent).toBeGreaterThan(5_000);
    expect(peel.statuses.some((s) => s.type === 'disconnect')).toBe(false);
  }, 60_000);

  it('loses and doubles nothing on a plain subscription either, or on an iterator', async () => {
    const peel = await startPeel(server, { rotate: 'hitless' });
    const publisher = await otherSide(server);
    const byCallback: number[] = [];
    const byIterator: number[] = [];
    peel.nc.subscribe('plain.*', { callback: into(byCallback, (msg) => Number(msg.string())) });
    const iterated = peel.nc.subscribe('plain.>');
    void (async () => {
      for await (const msg of iterated) byIterator.push(Number(msg.string()));
    })();
    await peel.nc.flush();
    const traffic = load(publisher, 'plain.x', 2_000);
    for (let i = 0; i < 5; i++) await rotate(peel);
    const sent = await traffic.stop();
    const numbers = Array.from({ length: sent }, (_, i) => i);
    for (const received of [byCallback, byIterator]) {
      await waitFor('the last message', () => received.length >= sent);
      expect(received.toSorted((a, b) => a - b)).toEqual(numbers);
    }
    expect(iterated.getReceived()).toBe(sent);
    iterated.unsubscribe();
    await iterated.closed;
    expect(iterated.isClosed()).toBe(true);
  });

  it('keeps the order of published messages, and sends each once', async () => {
    const observer = await otherSide(server);
    const received: number[] = [];
    observer.subscribe('out', { callback: into(received, (msg) => Number(msg.string())) });
    await observer.flush();
    const peel = await startPeel(server, { rotate: 'hitless' });
    const traffic = load(peel.nc, 'out', 5_000);
    for (let i = 0; i < 5; i++) await rotate(peel);
    const sent = await traffic.stop();
    await observer.flush();
    expect(received).toEqual(Array.from({ length: sent }, (_, i) => i));
  });

  it('answers requests that arrived before the move, and gets the answers to its own', async () => {
    const peel = await startPeel(server, { rotate: 'hitless' });
    const asker = await otherSide(server);
    const pending: (() => void)[] = [];
    peel.nc.subscribe('slow.job', {
      callback: into(pending, (msg) => () => void msg.respond(`done ${msg.string()}`)),
    });
    const held: (() => void)[] = [];
    asker.subscribe('slow.answer', { callback: into(held, (msg) => () => void msg.respond('at last')) });
    await Promise.all([peel.nc.flush(), asker.flush()]);
    const asked = asker.request('slow.job', 'it', { timeout: 20_000 });
    const own = peel.nc.request('slow.answer', '', { timeout: 20_000 });
    await waitFor('both requests', () => pending.length === 1 && held.length === 1);
    await rotate(peel);
    pending[0]?.();
    held[0]?.();
    expect((await asked).string()).toBe('done it');
    expect((await own).string()).toBe('at last');
  });

  it('lets the first connection end, so that one is left', async () => {
    const peel = await startPeel(server, { peelId: 'web-07', rotate: 'hitless' });
    for (let i = 0; i < 3; i++) await rotate(peel, 'web-07');
    const system = await server.systemConnection();
    await waitFor('one connection', async () => {
      const mine = (await connectedUsers(system)).filter(({ name }) => name === 'zester-peel-web-07');
      return mine.length === 1 && mine[0]?.nkey === (await publicKeyOf(peel.credsPath));
    });
    expect(peel.nc.isClosed()).toBe(false);
  });

  it('stays on the first connection if the new credential is refused, reports it, and moves once a valid one arrives', async () => {
    const stranger = await startOperatorServer();
    const peel = await startPeel(server, { rotate: 'hitless' });
    const oldKey = await publicKeyOf(peel.credsPath);
    await replaceByRename(peel.credsPath, await stranger.user('web-01'));
    const failed = await event(peel, 'rotationFailed');
    expect(failed.error.message).toMatch(/authorization/i);
    await works(peel.nc);
    const system = await server.systemConnection();
    expect((await connectedUsers(system)).some(({ nkey }) => nkey === oldKey)).toBe(true);
    await waitFor(
      'another attempt',
      () => peel.events.filter((e) => e.type === 'rotationFailed').length >= 2,
    );
    await rotate(peel);
    expect(peel.statuses.some((s) => s.type === 'disconnect')).toBe(false);
    await stranger.close();
  });

  it('keeps limits and ends of subscriptions: max, unsubscribe, drain', async () => {
    const peel = await startPeel(server, { rotate: 'hitless' });
    const publisher = await otherSide(server);
    const received: string[] = [];
    const limited = peel.nc.subscribe('max', {
      max: 3,
      callback: into(received, (msg) => msg.string()),
    });
    const ended = peel.nc.subscribe('gone', { callback: () => expect.unreachable('it was ended') });
    await peel.nc.flush();
    publisher.publish('max', '1');
    await waitFor('the first', () => received.length === 1);
    ended.unsubscribe();
    await rotate(peel);
    for (const n of ['2', '3', '4', '5']) publisher.publish('max', n);
    publisher.publish('gone', 'x');
    await publisher.flush();
    await limited.closed;
    expect(received).toEqual(['1', '2', '3']);
    const drained = peel.nc.subscribe('drained', { callback: () => undefined });
    await rotate(peel);
    await drained.drain();
    expect(drained.isClosed()).toBe(true);
  });

  it('a KV watch from before the move sees later puts', async () => {
    const peel = await startPeel(server, { rotate: 'hitless' });
    const kv = await new Kvm(jetstream(peel.nc)).create('hitless');
    const seen: string[] = [];
    void (async () => {
      for await (const entry of await kv.watch()) seen.push(entry.string());
    })();
    for (let i = 0; i < 4; i++) {
      await kv.put('key', String(i));
      await rotate(peel);
    }
    await kv.put('key', 'last');
    await waitFor('the last value', () => seen.includes('last'), 40_000);
    expect(seen).toEqual(expect.arrayContaining(['0', 'last']));
  }, 60_000);

  it('becomes a reconnect during an outage, and loses no published message', async () => {
    const peel = await startPeel(server, { rotate: 'hitless' });
    const received: number[] = [];
    peel.nc.subscribe('again', { callback: into(received, (msg) => Number(msg.string())) });
    await server.kill('SIGKILL');
    await status(peel, 'disconnect');
    for (let i = 0; i < 100; i++) peel.nc.publish('again', String(i));
    const key = await replaceByRename(peel.credsPath, await server.user('web-01'));
    await event(peel, 'credentialsLoaded');
    await server.start();
    await peel.nc.flush();
    await waitFor('the new credential in use', async () => {
      const system = await server.systemConnection();
      const users = await connectedUsers(system);
      await system.close();
      return users.some(({ nkey }) => nkey === key);
    });
    await waitFor('the last message', () => received.length >= 100);
    expect(received).toEqual(Array.from({ length: 100 }, (_, i) => i));
  });

  it('close() and drain() in the middle of rotations leave no connection behind', async () => {
    const system = await server.systemConnection();
    for (const end of ['close', 'drain'] as const) {
      const peel = await startPeel(server, {
        peelId: 'web-09',
        rotate: 'hitless',
        credsPath: await server.user('web-09'),
      });
      await replaceByRename(peel.credsPath, await server.user('web-09'));
      await event(peel, 'credentialsLoaded');
      await peel.nc[end]();
      expect(peel.nc.isClosed()).toBe(true);
      await waitFor('no connection', async () =>
        (await connectedUsers(system)).every(({ name }) => name !== 'zester-peel-web-09'),
      );
    }
  });
});

describe('a move to a second connection', () => {
  /** A connection through its own proxy, so that it can be stalled. */
  async function throughProxy(): Promise<{ nc: NatsConnection; proxy: TcpProxy }> {
    const proxy = await TcpProxy.start(() => server.port);
    atEnd(() => proxy.close());
    return { nc: await server.connect(await server.user('web-01'), { servers: proxy.url }), proxy };
  }

  it('delivers to a subscription made during the move', async () => {
    const { nc: first, proxy } = await throughProxy();
    const connection = new ManagedConnection(first, { movable: true, handoverTimeoutMs: 100 });
    atEnd(() => connection.close());
    const second = await server.connect(await server.user('web-01'));
    proxy.stall();
    const move = connection.moveTo(second);
    // the second server answers, the first does not
    await second.flush();
    const received: string[] = [];
    connection.subscribe('in.the.middle', { callback: into(received, (msg) => msg.string()) });
    connection.publish('in.the.middle', 'x');
    await move;
    await waitFor('the message', () => received.length > 0);
    expect(received).toEqual(['x']);
  });

  it('that fails leaves no member of a queue group behind, whether the subscription ends before or after', async () => {
    for (const end of ['before', 'after'] as const) {
      const first = await server.connect(await server.user('web-01'));
      const connection = new ManagedConnection(first, { movable: true });
      atEnd(() => connection.close());
      const { nc: second, proxy } = await throughProxy();
      const subject = `queue.${end}`;
      const ended = connection.subscribe(subject, { queue: 'workers', callback: () => undefined });
      await connection.flush();
      proxy.stall();
      const move = connection.moveTo(second);
      await first.flush();
      if (end === 'before') ended.unsubscribe();
      proxy.cut();
      await expect(move).rejects.toThrow(/disconnected/);
      if (end === 'after') ended.unsubscribe();
      await connection.flush();

      const other = await otherSide(server);
      const received: number[] = [];
      other.subscribe(subject, { queue: 'workers', callback: into(received, (msg) => Number(msg.string())) });
      for (let i = 0; i < 50; i++) other.publish(subject, String(i));
      await other.flush();
      expect(received).toEqual(Array.from({ length: 50 }, (_, i) => i));
    }
  });
});

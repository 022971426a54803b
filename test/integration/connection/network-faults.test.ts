import { beforeAll, describe, expect, it } from 'vitest';
import { atEnd } from '../../support/cleanup.js';
import { startOperatorServer, type OperatorServer } from '../../support/operator-server.js';
import { TcpProxy } from '../../support/tcp-proxy.js';
import { waitFor } from '../../support/wait-for.js';
import {
  event,
  into,
  otherSide,
  replaceByRename,
  startPeel,
  status,
  works,
  type TestPeel,
} from './support.js';

let server: OperatorServer;
beforeAll(async () => {
  server = await startOperatorServer();
});

/** Heartbeats that detect a dead link quickly. */
const QUICK_PINGS = { pingInterval: 150, maxPingOut: 2 } as const;

async function throughProxy(
  options: Parameters<typeof startPeel>[1] = {},
): Promise<{ peel: TestPeel; proxy: TcpProxy }> {
  const proxy = await TcpProxy.start(() => server.port);
  atEnd(() => proxy.close());
  return { peel: await startPeel(server, { servers: proxy.url, ...QUICK_PINGS, ...options }), proxy };
}

describe('a link that fails', () => {
  it('cut fifty times in a row: the connection, its subscriptions and published messages survive', async () => {
    const { peel, proxy } = await throughProxy({ reconnectTimeWait: 10 });
    const received: number[] = [];
    peel.nc.subscribe('n', { callback: into(received, (msg) => Number(msg.string())) });
    await peel.nc.flush();
    for (let i = 0; i < 50; i++) {
      proxy.cut();
      await status(peel, 'disconnect', i + 1);
      peel.nc.publish('n', String(i));
      await status(peel, 'reconnect', i + 1);
      await peel.nc.flush();
    }
    expect(received).toEqual(Array.from({ length: 50 }, (_, i) => i));
    expect(peel.nc.isClosed()).toBe(false);
  });

  it('stalled until the heartbeat gives up: reconnects, and delivers buffered messages', async () => {
    const { peel, proxy } = await throughProxy();
    const received: string[] = [];
    peel.nc.subscribe('s', { callback: into(received, (msg) => msg.string()) });
    await peel.nc.flush();
    proxy.stall();
    await status(peel, 'staleConnection');
    await status(peel, 'disconnect');
    peel.nc.publish('s', 'kept');
    proxy.resume();
    await status(peel, 'reconnect');
    await peel.nc.flush();
    expect(received).toEqual(['kept']);
  });

  it('half open, without a close from the server: the heartbeat detects it, and the connection survives', async () => {
    const { peel, proxy } = await throughProxy();
    proxy.halfOpen();
    const flush = peel.nc.flush();
    // only flush() confirms delivery: messages written to the dead socket are not confirmed
    await expect(flush).rejects.toThrow(/disconnected/);
    await status(peel, 'reconnect');
    await works(peel.nc);
  });

  it('slow: a full buffer arrives whole and in order', async () => {
    const { peel, proxy } = await throughProxy({ pingInterval: 10_000 });
    const observer = await otherSide(server);
    const received: number[] = [];
    observer.subscribe('slow', { callback: into(received, (msg) => Buffer.from(msg.data).readInt32BE()) });
    await observer.flush();
    proxy.refuse(true);
    proxy.cut();
    await status(peel, 'disconnect');
    const payload = Buffer.alloc(1_000);
    for (let i = 0; i < 500; i++) {
      payload.writeInt32BE(i);
      peel.nc.publish('slow', payload);
    }
    proxy.slow(16 * 1024, 2);
    proxy.refuse(false);
    await peel.nc.flush();
    await waitFor('the last message', () => received.length >= 500);
    expect(received).toEqual(Array.from({ length: 500 }, (_, i) => i));
  });

  it('refusing connections for a while: tried until it works', async () => {
    const { peel, proxy } = await throughProxy();
    proxy.refuse(true);
    proxy.cut();
    await status(peel, 'disconnect');
    await waitFor('ten attempts', () => peel.statuses.filter((s) => s.type === 'reconnecting').length >= 10);
    expect(peel.nc.isClosed()).toBe(false);
    proxy.refuse(false);
    await works(peel.nc);
  });

  it('cut while sending the buffer: nothing arrives twice or out of order, and the rest is sent', async () => {
    const { peel, proxy } = await throughProxy({ pingInterval: 10_000 });
    const observer = await otherSide(server);
    const received: number[] = [];
    observer.subscribe('twice', { callback: into(received, (msg) => Number(msg.string())) });
    await observer.flush();
    proxy.refuse(true);
    proxy.cut();
    await status(peel, 'disconnect');
    for (let i = 0; i < 2_000; i++) peel.nc.publish('twice', String(i));
    proxy.slow(4 * 1024, 1);
    proxy.refuse(false);
    await status(peel, 'reconnect');
    proxy.cut();
    proxy.slow(Number.POSITIVE_INFINITY, 0);
    await status(peel, 'reconnect', 2);
    peel.nc.publish('twice', '2000');
    await peel.nc.flush();
    await waitFor('the message after', () => received.at(-1) === 2_000);
    // at most once, in order: only messages in flight at the cut may be missing
    expect(received).toEqual([...new Set(received)].toSorted((a, b) => a - b));
  });

  it('rotated hitlessly over a link that stalls in the middle: it ends on the new credential', async () => {
    const { peel, proxy } = await throughProxy({ rotate: 'hitless', timeout: 500 });
    proxy.stall();
    const key = await replaceByRename(peel.credsPath, await server.user('web-01'));
    await event(peel, 'credentialsLoaded');
    await status(peel, 'disconnect');
    proxy.resume();
    await works(peel.nc);
    await waitFor('the new credential', async () => {
      const seen = peel.events.some((e) => e.type === 'rotated' && e.publicKey === key);
      // an earlier reconnect has read the new file too; then there is nothing to rotate
      return seen || peel.statuses.some((s) => s.type === 'reconnect');
    });
    await works(peel.nc);
  });
});

import { errors } from '@nats-io/transport-node';
import { describe, expect, it } from 'vitest';
import type { ConnectionEvent } from '../../src/connection/events.js';
import { ManagedConnection, type ManagedConnectionOptions } from '../../src/connection/managed-connection.js';
import { ReconnectBufferExceededError, UndeliveredError } from '../../src/errors.js';
import { MemoryClient, settled } from './memory-client.js';

function connected(options: ManagedConnectionOptions = {}) {
  const client = new MemoryClient();
  const events: ConnectionEvent[] = [];
  const nc = new ManagedConnection(client.nc, { onEvent: (event) => events.push(event), ...options });
  const types = () => events.map(({ type }) => type);
  return { client, nc, events, types };
}

describe('an outage', () => {
  it('buffers published messages, and sends them first, in order', async () => {
    const { client, nc, events, types } = connected();
    nc.publish('s', '1');
    await client.emit('disconnect');
    await client.emit('disconnect');
    nc.publish('s', '2');
    nc.publish('s', '3');
    expect(nc.buffered).toEqual({ messages: 2, bytes: 4 });
    const flushed = nc.flush();
    await client.emit('reconnect');
    await flushed;
    nc.publish('s', '4');
    expect(client.published).toEqual(['s 1', 's 2', 's 3', 's 4']);
    expect(types()).toEqual(['buffering', 'reconnected', 'bufferSent']);
    expect(events[2]).toMatchObject({ messages: 2, bytes: 4 });
  });

  it('buffers no more than the limit, and loses nothing within it', async () => {
    const { client, nc } = connected({ maxBytes: 2 });
    await client.emit('disconnect');
    nc.publish('s', '1');
    expect(() => nc.publish('s', '2')).toThrow(ReconnectBufferExceededError);
    await client.emit('reconnect');
    expect(client.published).toEqual(['s 1']);
  });

  it('is not over while the server does not answer', async () => {
    const { client, nc } = connected();
    await client.emit('disconnect');
    client.answers = false;
    await client.emit('reconnect');
    nc.publish('s', '1');
    expect(client.published).toEqual([]);
  });

  it('in which the server refuses the connection is reported once, in the server’s words', async () => {
    const { client, events } = connected();
    await client.emit('disconnect');
    for (let i = 0; i < 3; i++) await client.emit('error', new Error('Authorization Violation'));
    expect(events.filter(({ type }) => type === 'refused')).toEqual([
      expect.objectContaining({ reason: 'Authorization Violation', attempts: 1 }),
    ]);
  });
});

describe('a connection that ends', () => {
  it('reports undelivered messages, and refuses later ones', async () => {
    const { client, nc, types } = connected();
    await client.emit('disconnect');
    nc.publish('s', '1');
    await nc.close();
    expect(await nc.closed()).toBeInstanceOf(UndeliveredError);
    expect(types()).toEqual(['buffering', 'undelivered']);
    expect(nc.isClosed()).toBe(true);
    expect(() => nc.publish('s')).toThrow(errors.ClosedConnectionError);
    expect(() => nc.subscribe('s')).toThrow(errors.ClosedConnectionError);
    await expect(nc.request('s', '', { timeout: 5_000 })).rejects.toThrow(errors.ClosedConnectionError);
    await expect(nc.flush()).rejects.toThrow(errors.ClosedConnectionError);
  });

  it('drains at once while it is up', async () => {
    const { client, nc } = connected();
    const draining = nc.drain();
    expect(() => nc.subscribe('s')).toThrow(errors.DrainingConnectionError);
    nc.publish('s', 'last');
    await draining;
    expect(client.published).toEqual(['s last']);
    expect(await nc.closed()).toBeUndefined();
  });

  it('drains after an outage that ends in time, and gives up otherwise', async () => {
    const { client, nc } = connected();
    await client.emit('disconnect');
    nc.publish('s', '1');
    const draining = nc.drain();
    await client.emit('reconnect');
    await draining;
    expect(client.published).toEqual(['s 1']);

    const other = connected({ drainTimeoutMs: 1 });
    await other.client.emit('disconnect');
    other.nc.publish('s', '1');
    await expect(other.nc.drain()).rejects.toMatchObject({ messages: 1 });
  });

  it('by itself resolves closed() with the reason', async () => {
    const { client, nc } = connected();
    const reasons: unknown[] = [];
    nc.addCloseListener({ connectionClosedCallback: (error) => reasons.push(error) });
    const error = new Error('gave up');
    await client.fail(error);
    expect(await nc.closed()).toBe(error);
    expect(reasons).toEqual([error]);
  });
});

describe('a move to a second connection', () => {
  it('moves subscriptions and publishing, and lets the first one end', async () => {
    const { client, nc } = connected({ movable: true });
    const received: string[] = [];
    nc.subscribe('in', { callback: (_error, { subject }) => void received.push(subject) });
    nc.publish('s', '1');
    const second = new MemoryClient('b:4222');
    const moving = nc.moveTo(second.nc);
    await Promise.resolve();
    nc.publish('s', '2');
    await moving;
    await settled();
    expect(client.published).toEqual(['s 1']);
    expect(second.published).toEqual(['s 2']);
    expect([client.subscriptions.size, second.subscriptions.size]).toEqual([0, 1]);
    second.deliver('in');
    expect(received).toEqual(['in']);
    expect(client.closes).toBeGreaterThan(0);
    expect(nc.getServer()).toBe('b:4222');
    expect(nc.stats().outMsgs).toBe(2);
    expect(nc.isClosed()).toBe(false);
  });

  it('that does not answer changes nothing', async () => {
    const { client, nc } = connected({ movable: true });
    nc.subscribe('in', { callback: () => undefined });
    const second = new MemoryClient('b:4222');
    second.answers = false;
    const moving = nc.moveTo(second.nc);
    nc.publish('s', '1');
    await expect(moving).rejects.toThrow('no answer');
    expect(client.published).toEqual(['s 1']);
    expect(client.subscriptions.size).toBe(1);
    expect(nc.getServer()).toBe('a:4222');
    expect(second.closes).toBeGreaterThan(0);
  });

  it('answers a request over the connection that delivered it', async () => {
    const { client, nc } = connected({ movable: true, handoverTimeoutMs: 60_000 });
    const answers: (() => void)[] = [];
    nc.subscribe('in', { callback: (_error, msg) => void answers.push(() => msg.respond('done')) });
    client.deliver('in', 'reply');
    const second = new MemoryClient('b:4222');
    await nc.moveTo(second.nc);
    // it waits for the answer before it closes
    expect(client.closes).toBe(0);
    for (const answer of answers) answer();
    await settled();
    expect(client.published).toEqual(['reply done']);
    expect(client.closes).toBeGreaterThan(0);
  });

  it('during an outage is the end of the outage', async () => {
    const { client, nc, types } = connected({ movable: true });
    await client.emit('disconnect');
    nc.publish('s', '1');
    const second = new MemoryClient('b:4222');
    await nc.moveTo(second.nc);
    expect(second.published).toEqual(['s 1']);
    expect(types()).toEqual(['buffering', 'bufferSent', 'reconnected']);
  });

  it('does not happen when the connection is closed', async () => {
    const { nc } = connected();
    await nc.close();
    const second = new MemoryClient('b:4222');
    await nc.moveTo(second.nc);
    expect(second.closes).toBeGreaterThan(0);
  });
});

describe('a reconnect on purpose', () => {
  it('sends earlier messages, buffers later ones, and dials again', async () => {
    const { client, nc } = connected();
    const renewing = nc.renew();
    nc.publish('s', 'meanwhile');
    await renewing;
    expect(client.reconnects).toBe(1);
    expect(client.published).toEqual([]);
    await client.emit('reconnect');
    expect(client.published).toEqual(['s meanwhile']);
  });

  it('is left to the client while there is an outage', async () => {
    const { client, nc } = connected();
    await client.emit('disconnect');
    await nc.renew();
    await nc.reconnect();
    expect(client.reconnects).toBe(0);
  });
});

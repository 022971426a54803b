import type { Msg, SubscriptionOptions } from '@nats-io/transport-node';
import { describe, expect, it } from 'vitest';
import { Link } from '../../src/connection/link.js';
import { ManagedSubscription } from '../../src/connection/managed-subscription.js';
import { MemoryClient, settled } from './memory-client.js';

function subscribed(options: SubscriptionOptions = {}, movable = true) {
  const first = new MemoryClient();
  const second = new MemoryClient('b:4222');
  const link = new Link(first.nc, () => undefined);
  const next = new Link(second.nc, () => undefined);
  const events: string[] = [];
  const owner = {
    adopt: () => undefined,
    removed: () => void events.push('removed'),
    slow: (_sub: unknown, pending: number) => void events.push(`slow ${pending}`),
    callbackFailed: (callback: string) => void events.push(callback),
    settled: () => Promise.resolve(),
  };
  const sub = new ManagedSubscription(owner, link, 'in', options, movable);
  return { first, second, link, next, sub, events };
}

const only = (client: MemoryClient) => [...client.subscriptions][0];

describe('a subscription', () => {
  it('gives its messages to the loop, and ends with it', async () => {
    const { first, sub, events } = subscribed();
    first.deliver('in');
    for await (const { subject } of sub) {
      expect(subject).toBe('in');
      break;
    }
    await settled();
    expect(sub.isClosed()).toBe(true);
    expect(events).toEqual(['removed']);
    expect([sub.getReceived(), sub.getProcessed(), first.subscriptions.size]).toEqual([1, 1, 0]);
  });

  it('continues when its callback throws, and reports it once', () => {
    let calls = 0;
    const { first, events } = subscribed({
      callback: () => {
        calls += 1;
        throw new Error('mine');
      },
    });
    for (let i = 0; i < 3; i++) first.deliver('in');
    expect(calls).toBe(3);
    expect(events).toEqual(['of the subscription to in']);
  });

  it('reports that its reader is slow, once until it has caught up', async () => {
    const { first, sub, events } = subscribed({ slow: 1 });
    for (let i = 0; i < 4; i++) first.deliver('in');
    expect(events).toEqual(['slow 2']);
    sub.unsubscribe();
    await settled();
  });

  it('ends with the error of its connection', async () => {
    const errors: unknown[] = [];
    const { first, sub } = subscribed({ callback: (error) => void errors.push(error) });
    const error = new Error('permissions violation');
    void only(first)?.callback(error, {} as Msg);
    only(first)?.end(error);
    expect(await sub.closed).toBe(error);
    expect(errors).toEqual([error]);
  });

  it('delivers earlier messages before it ends', async () => {
    const { first, sub } = subscribed();
    first.deliver('in');
    await sub.drain();
    const received: string[] = [];
    for await (const { subject } of sub) received.push(subject);
    expect(received).toEqual(['in']);
    expect(sub.isDraining()).toBe(true);
  });
});

describe('a subscription that is moved', () => {
  it('is in the same queue group on both connections, so each message arrives once', async () => {
    const received: string[] = [];
    const callback = (_error: Error | null, { subject }: Msg) => void received.push(subject);
    const { first, second, next, sub } = subscribed({ callback });
    const leave = sub.moveTo(next);
    expect(only(first)?.queue).toMatch(/^zester-/);
    expect(only(second)?.queue).toBe(only(first)?.queue);
    // messages in flight on the first connection still arrive
    first.deliver('in');
    second.deliver('in');
    await leave();
    expect(first.subscriptions.size).toBe(0);
    expect([received.length, sub.isClosed(), sub.isOn(next)]).toEqual([2, false, true]);
  });

  it('keeps the queue group that the user gave it', () => {
    const { second, next, sub } = subscribed({ queue: 'workers', callback: () => undefined });
    sub.moveTo(next);
    expect(only(second)?.queue).toBe('workers');
  });

  it('requests the remaining messages from the second connection', () => {
    const { first, second, next, sub } = subscribed({ max: 3, callback: () => undefined });
    first.deliver('in');
    sub.moveTo(next);
    expect(only(second)?.max).toBe(2);
  });

  it('on an inbox deduplicates JetStream messages', () => {
    const received: string[] = [];
    const callback = (_error: Error | null, { reply }: Msg) => void received.push(reply ?? '');
    const { first, second, next, sub } = subscribed({ callback }, false);
    sub.moveTo(next);
    for (const client of [first, second]) {
      expect(only(client)?.queue).toBeUndefined();
      client.deliver('in', '$JS.ACK.s.c.1.1.1.0.0');
    }
    expect(received).toHaveLength(1);
  });

  it('returns to the first connection if the second fails, without a second subscription', () => {
    const { first, link, next, sub } = subscribed({ callback: () => undefined });
    sub.moveTo(next);
    sub.moveBack();
    expect([sub.isOn(link), first.subscriptions.size]).toEqual([true, 1]);
  });

  it('ignores the end of the connection that it left', async () => {
    const errors: unknown[] = [];
    const { first, next, sub } = subscribed({ callback: (error) => void errors.push(error) });
    const old = only(first);
    sub.moveTo(next);
    void old?.callback(new Error('closed'), {} as Msg);
    old?.end();
    await settled();
    expect([errors, sub.isClosed()]).toEqual([[], false]);
  });
});

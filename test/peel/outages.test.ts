import { QueuedIteratorImpl } from '@nats-io/nats-core/internal';
import { describe, expect, it } from 'vitest';
import { Outages } from '../../src/peel/outages.js';

/** What a peel learns from these statuses of its connection. */
async function followed(...types: string[]) {
  const learned: string[] = [];
  const outages = new Outages({
    lost: () => void learned.push('lost'),
    back: (isOnPurpose) => void learned.push(isOnPurpose ? 'back on purpose' : 'back'),
  });
  const status = new QueuedIteratorImpl<{ type: string }>();
  for (const type of types) status.push({ type });
  status.push((() => status.stop()) as never);
  await outages.follow(status);
  return { learned, isDown: outages.isDown };
}

describe('the connection of a peel', () => {
  it('is up at first, and other statuses change nothing', async () => {
    expect(await followed('update', 'ldm', 'pingTimer')).toEqual({ learned: [], isDown: false });
  });

  it('is lost once, however many attempts are refused', async () => {
    const statuses = ['disconnect', 'reconnecting', 'disconnect', 'reconnecting', 'disconnect'];
    expect(await followed(...statuses)).toEqual({ learned: ['lost'], isDown: true });
  });

  it('is back after an outage, and may be lost again', async () => {
    const { learned, isDown } = await followed('disconnect', 'reconnect', 'disconnect', 'reconnect');
    expect(learned).toEqual(['lost', 'back', 'lost', 'back']);
    expect(isDown).toBe(false);
  });

  it('is back on purpose if it was dropped for other credentials, that time only', async () => {
    const switched = ['forceReconnect', 'disconnect', 'reconnect'];
    const { learned } = await followed(...switched, 'disconnect', 'reconnect');
    expect(learned).toEqual(['lost', 'back on purpose', 'lost', 'back']);
  });
});

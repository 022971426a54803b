import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { shutDown, type ShutDownOptions } from '../../src/peel/shut-down.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const never = () => new Promise<never>(() => undefined);

/** A peel to shut down, and the order in which its parts end. */
function running(given: Partial<ShutDownOptions> = {}) {
  const order: string[] = [];
  const done = (what: string) => async () => void order.push(what);
  const options = {
    nc: { isClosed: () => false, drain: done('drained'), close: done('closed') },
    subscriptions: [{ drain: done('unsubscribed') }],
    handlers: { whenIdle: done('idle'), end: () => void order.push('handlers ended') },
    written: undefined,
    waitMs: 5_000,
    isDrainLimited: false,
    ...given,
  };
  return { options, order };
}

describe('a peel that is shut down', () => {
  it('takes no new command, ends the running ones, sends what is buffered, and closes, in this order', async () => {
    const { options, order } = running();
    expect(await shutDown(options)).toBeUndefined();
    expect(order).toEqual(['unsubscribed', 'idle', 'handlers ended', 'drained', 'closed']);
  });

  it('aborts commands and leaves subscriptions that take too long', async () => {
    const { options, order } = running();
    const handlers = { ...options.handlers, whenIdle: never };
    const stopped = shutDown({ ...options, handlers, subscriptions: [{ drain: never }] });
    await vi.advanceTimersByTimeAsync(6_000);
    await stopped;
    expect(order).toEqual(['handlers ended', 'drained', 'closed']);
  });

  it('waits for credentials that are being written, however long that takes', async () => {
    let write: () => void = () => undefined;
    const written = new Promise<void>((resolve) => (write = resolve));
    const { options, order } = running({ written });
    const stopped = shutDown(options);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(order).not.toContain('handlers ended');
    write();
    await stopped;
    expect(order).toContain('closed');
  });

  it('closes a connection that cannot be drained, and says why', async () => {
    const failure = new Error('an outage');
    const { options, order } = running();
    const nc = { ...options.nc, drain: () => Promise.reject(failure) };
    expect(await shutDown({ ...options, nc })).toBe(failure);
    expect(order).toContain('closed');
  });

  it('does not wait for what is buffered if a master has ended it', async () => {
    const { options, order } = running({ isDrainLimited: true });
    const stopped = shutDown({ ...options, nc: { ...options.nc, drain: never } });
    await vi.advanceTimersByTimeAsync(6_000);
    await stopped;
    expect(order).toContain('closed');
  });

  it('ends its commands if the connection is closed already', async () => {
    const { options, order } = running();
    await shutDown({ ...options, nc: { ...options.nc, isClosed: () => true } });
    expect(order).toEqual(['unsubscribed', 'idle', 'handlers ended']);
  });
});

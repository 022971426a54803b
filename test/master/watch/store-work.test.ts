import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ConnectRate } from '../../../src/master/watch/connect-rate.js';
import { StoreWorkQueue } from '../../../src/master/watch/store-work.js';

/** Work that is done on request. */
function work(isUrgent: boolean, started: string[], name: string) {
  let done: () => void = () => undefined;
  const finished = new Promise<void>((resolve) => (done = resolve));
  return {
    isUrgent,
    run: () => {
      started.push(name);
      return finished;
    },
    done,
  };
}

const settle = () => vi.advanceTimersByTimeAsync(0);

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] }));
afterEach(() => void vi.useRealTimers());

describe('work that waits for JetStream', () => {
  it('is limited to 64 at a time', async () => {
    const started: string[] = [];
    const queue = new StoreWorkQueue(() => undefined);
    const all = Array.from({ length: 70 }, (_, i) => work(false, started, String(i)));
    for (const one of all) queue.add(one);
    expect(started).toHaveLength(64);
    expect(queue.size).toBe(70);
    all[0]?.done();
    await settle();
    expect(started).toHaveLength(65);
    expect(queue.size).toBe(69);
  });

  it('is limited to 8 in a storm, and to 64 again a second after it', async () => {
    const started: string[] = [];
    const queue = new StoreWorkQueue(() => undefined);
    const all = Array.from({ length: 300 }, (_, i) => work(false, started, String(i)));
    all.forEach(() => queue.arrived());
    for (const one of all) queue.add(one);
    expect(started).toHaveLength(8);
    await vi.advanceTimersByTimeAsync(1_000);
    all[0]?.done();
    await settle();
    expect(started).toHaveLength(65);
  });

  it('starts with what may be a refusal, also in a storm', async () => {
    const started: string[] = [];
    const queue = new StoreWorkQueue(() => undefined);
    for (let i = 0; i < 300; i += 1) queue.arrived();
    const all = Array.from({ length: 10 }, (_, i) => work(false, started, `record ${i}`));
    for (const one of all) queue.add(one);
    const urgent = work(true, started, 'refusal');
    queue.add(urgent);
    expect(started.at(-1)).toBe('refusal');
    expect(started).toHaveLength(9);
    all[0]?.done();
    await settle();
    expect(started, 'the refusal takes one of the eight').toHaveLength(9);
    urgent.done();
    await settle();
    expect(started.at(-1)).toBe('record 8');
  });

  it('is not started after the end', () => {
    const started: string[] = [];
    const queue = new StoreWorkQueue(() => undefined);
    queue.stop();
    queue.add(work(true, started, 'late'));
    expect(started).toEqual([]);
    expect(queue.size).toBe(0);
  });
});

describe('a storm', () => {
  it('is 200 connections within a second', () => {
    const rate = new ConnectRate();
    for (let i = 0; i < 199; i += 1) rate.note(i);
    expect(rate.isStorm(199)).toBe(false);
    rate.note(199);
    expect(rate.isStorm(999)).toBe(true);
    expect(rate.isStorm(1_000)).toBe(false);
  });

  it('is not as many within a longer time', () => {
    const rate = new ConnectRate();
    for (let i = 0; i < 10_000; i += 1) rate.note(i * 6);
    expect(rate.isStorm(10_000 * 6)).toBe(false);
  });
});

import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { JudgingQueue, type JudgingQueueParts } from '../../../src/master/watch/judging-queue.js';
import type { UserConnection } from '../../../src/master/watch/system-events.js';
import { JUDGE_TURN_MS } from '../../../src/timing.js';
import { waitFor } from '../../support/wait-for.js';

const LOGGER = { debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn() };
const connection = (cid: number) => ({ server: 'S1', cid, name: `web-${cid}` }) as UserConnection;

function queueOf(parts: Partial<JudgingQueueParts>) {
  const judged: number[] = [];
  const queue = new JudgingQueue({
    prepare: () => Promise.resolve(),
    judge: ({ cid }) => void judged.push(cid) as undefined,
    isConnected: () => true,
    isHeld: () => false,
    logger: LOGGER,
    onWaiting: () => undefined,
    ...parts,
  });
  return { queue, judged };
}

afterEach(() => vi.clearAllMocks());

describe('connections that are to be judged', () => {
  it('are judged in the order in which they came, each once', async () => {
    const { queue, judged } = queueOf({});
    const all = Array.from({ length: 1_000 }, (_, i) => connection(i));
    for (const one of all) queue.add(one);
    queue.add(all[999] as UserConnection);
    await waitFor('all to be judged', () => queue.size === 0);
    expect(judged).toEqual(all.map(({ cid }) => cid));
  });

  it('let other work run in between', async () => {
    let turns = 0;
    let judged = 0;
    // each takes longer than judging may at a time
    const judge = () => {
      judged += 1;
      for (const end = performance.now() + JUDGE_TURN_MS; performance.now() <= end;);
      return undefined;
    };
    const { queue } = queueOf({ judge });
    for (let i = 0; i < 10; i += 1) queue.add(connection(i));
    const count = () => {
      turns += 1;
      if (queue.size > 0) setImmediate(count);
    };
    setImmediate(count);
    await waitFor('all to be judged', () => queue.size === 0);
    expect(judged).toBe(10);
    expect(turns).toBeGreaterThanOrEqual(9);
  });

  it('wait for JetStream no more than a few at a time', async () => {
    let [running, most] = [0, 0];
    const { queue } = queueOf({
      judge: () => ({
        isUrgent: true,
        run: async () => {
          running += 1;
          most = Math.max(most, running);
          await delay(1);
          running -= 1;
        },
      }),
    });
    for (let i = 0; i < 500; i += 1) queue.add(connection(i));
    await waitFor('all to be judged', () => queue.size === 0);
    expect(most).toBe(64);
  });

  it('are judged again, with a pause, when JetStream did not answer, and stay in the queue until then', async () => {
    let tries = 0;
    const { queue } = queueOf({
      judge: () => {
        if (++tries > 1) return undefined;
        return { isUrgent: false, run: () => Promise.reject(new Error('no JetStream')) };
      },
    });
    queue.add(connection(1));
    await waitFor('the first try', () => tries === 1);
    expect(queue.size).toBe(1);
    await waitFor('the second', () => tries === 2 && queue.size === 0);
    expect(LOGGER.error).toHaveBeenCalledTimes(1);
  });

  it('are judged at once in a storm, also while the records of others are still being written', async () => {
    const judged: number[] = [];
    const { queue } = queueOf({
      judge: ({ cid }) => {
        judged.push(cid);
        return { isUrgent: false, run: () => new Promise<void>(() => undefined) };
      },
    });
    for (let i = 0; i < 5_000; i += 1) queue.add(connection(i));
    await waitFor('all to be judged', () => judged.length === 5_000);
    expect(queue.size).toBe(5_000);
    queue.stop();
  });

  it('are not judged while they are held, and are when that is over', async () => {
    let isHeld = true;
    const { queue, judged } = queueOf({ isHeld: () => isHeld });
    queue.add(connection(1));
    await new Promise((resolve) => setImmediate(resolve));
    expect(judged).toEqual([]);
    isHeld = false;
    queue.resume();
    await waitFor('it to be judged', () => judged.length === 1);
  });
});

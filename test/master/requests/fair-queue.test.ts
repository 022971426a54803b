import { describe, expect, it } from 'vitest';
import { FairQueue } from '../../../src/master/requests/fair-queue.js';

/** Jobs that the test ends, and the order in which they started. */
class Jobs {
  readonly begun: string[] = [];
  readonly #ends = new Map<string, () => void>();
  #running = 0;
  most = 0;

  job(name: string): () => Promise<void> {
    return () => {
      this.begun.push(name);
      this.most = Math.max(this.most, (this.#running += 1));
      return new Promise((resolve) =>
        this.#ends.set(name, () => {
          this.#running -= 1;
          resolve();
        }),
      );
    };
  }

  /** Ends a job, and lets the next one start. */
  async end(name: string): Promise<void> {
    this.#ends.get(name)?.();
    await new Promise((resolve) => setImmediate(resolve));
  }

  async endAll(): Promise<void> {
    for (const name of this.begun) await this.end(name);
  }
}

const roomy = { running: 2, runningPerCaller: 2, waiting: 100, waitingPerCaller: 100 };

describe('a fair queue', () => {
  it('starts the next caller’s job, not the next job: a heavy caller delays another by one job', async () => {
    const jobs = new Jobs();
    const queue = new FairQueue({ ...roomy, running: 1 });
    for (let i = 0; i < 50; i++) queue.add('flood', jobs.job(`flood-${i}`));
    queue.add('other', jobs.job('other'));
    queue.add('third', jobs.job('third'));
    await jobs.end('flood-0');
    await jobs.end(jobs.begun[1] ?? '');
    await jobs.end(jobs.begun[2] ?? '');
    expect(jobs.begun.slice(0, 4)).toEqual(['flood-0', 'flood-1', 'other', 'third']);
  });

  it('limits concurrent jobs, in total and per caller', async () => {
    const jobs = new Jobs();
    const queue = new FairQueue({ ...roomy, running: 3, runningPerCaller: 2 });
    for (let i = 0; i < 10; i++) queue.add('a', jobs.job(`a-${i}`));
    expect(jobs.begun).toEqual(['a-0', 'a-1']);
    for (let i = 0; i < 10; i++) queue.add('b', jobs.job(`b-${i}`));
    expect(jobs.begun).toHaveLength(3);
    await jobs.endAll();
    expect(jobs.begun).toHaveLength(20);
    expect(jobs.most).toBe(3);
    await queue.idle();
  });

  it('rejects jobs beyond its capacity', () => {
    const jobs = new Jobs();
    const queue = new FairQueue({ running: 1, runningPerCaller: 1, waiting: 3, waitingPerCaller: 2 });
    const taken = ['a', 'a', 'a', 'a', 'b', 'b', 'c'].map((caller, i) => queue.add(caller, jobs.job(`${i}`)));
    // one of a runs and two wait; one of b waits, and then there is no room for anybody
    expect(taken).toEqual([true, true, true, false, true, false, false]);
  });

  it('rejects the jobs of a caller whose waiting jobs hold too much memory, and nobody else’s', async () => {
    const jobs = new Jobs();
    const queue = new FairQueue({ ...roomy, running: 1 });
    const add = (caller: string, i: number) =>
      queue.add(caller, jobs.job(`${caller}-${i}`), { bytes: 4 * 1024 * 1024 });
    const taken = [0, 1, 2, 3, 4, 5].map((i) => add('flood', i));
    // one runs, and four wait
    expect(taken).toEqual([true, true, true, true, true, false]);
    expect(add('other', 0)).toBe(true);
    await jobs.end('flood-0');
    expect(add('flood', 6)).toBe(true);
    await jobs.endAll();
    await queue.idle();
  });

  it('has limits of its own for a caller that is given some', async () => {
    const jobs = new Jobs();
    const queue = new FairQueue({ ...roomy, running: 3 });
    const limits = { runningPerCaller: 1, waitingPerCaller: 1 };
    const taken = [0, 1, 2].map((i) => queue.add('a', jobs.job(`a-${i}`), { limits }));
    expect([taken, jobs.begun]).toEqual([[true, true, false], ['a-0']]);
    queue.add('b', jobs.job('b-0'));
    queue.add('b', jobs.job('b-1'));
    expect(jobs.begun).toEqual(['a-0', 'b-0', 'b-1']);
    await jobs.endAll();
    await queue.idle();
  });

  it('is idle when everything is done, and at once when there is nothing', async () => {
    const jobs = new Jobs();
    const queue = new FairQueue(roomy);
    await queue.idle();
    queue.add('a', jobs.job('a'));
    let isIdle = false;
    const idle = queue.idle().then(() => (isIdle = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(isIdle).toBe(false);
    await jobs.end('a');
    await idle;
  });

  it('lets the event loop turn between jobs that do not wait, and does all of them', async () => {
    const queue = new FairQueue({
      running: 1_000,
      runningPerCaller: 1_000,
      waiting: 1_000,
      waitingPerCaller: 1_000,
    });
    let done = 0;
    const busy = () => {
      const end = performance.now() + 3;
      while (performance.now() < end);
      done += 1;
      return Promise.resolve();
    };
    for (let i = 0; i < 30; i += 1) queue.add('a', busy);
    const atOnce = done;
    await queue.idle();
    expect(atOnce).toBeLessThan(30);
    expect(done).toBe(30);
  });
});

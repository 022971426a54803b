import { expect, it, onTestFinished, vi } from 'vitest';
import { UrgentFirst } from '../../src/async/urgent-first.js';

/** A promise that a test resolves. */
function signal(): { promise: Promise<void>; resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}

it('background work goes on at once when nothing urgent is running', async () => {
  const pause = new UrgentFirst().pauses(60_000);
  await pause();
});

it('background work pauses until the last urgent work is done, even if that fails', async () => {
  const requests = new UrgentFirst();
  const [first, second] = [signal(), signal()];
  const order: string[] = [];
  const urgent = [
    requests.run(() => first.promise).then(() => order.push('first')),
    requests
      .run(async () => {
        await second.promise;
        throw new Error('no server');
      })
      .catch(() => order.push('second')),
  ];
  const background = requests
    .pauses(60_000)()
    .then(() => order.push('background'));

  first.resolve();
  await urgent[0];
  second.resolve();
  await Promise.all([...urgent, background]);

  expect(order).toEqual(['first', 'second', 'background']);
});

it('steps of background work that pause at the same time use up its limit once', async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const requests = new UrgentFirst();
  const pause = requests.pauses(10_000);
  const paused = async () => {
    const { promise, resolve } = signal();
    const urgent = requests.run(() => promise);
    const steps = Promise.all(Array.from({ length: 8 }, pause));
    let isOver = false;
    void steps.then(() => (isOver = true));
    await vi.advanceTimersByTimeAsync(2_000);
    const wasPaused = !isOver;
    resolve();
    await Promise.all([urgent, steps]);
    return wasPaused;
  };
  expect([await paused(), await paused()]).toEqual([true, true]);
});

it('background work ends although there is always something urgent', async () => {
  const requests = new UrgentFirst();
  const { promise, resolve } = signal();
  const urgent = requests.run(() => promise);
  const pause = requests.pauses(20);
  for (let step = 0; step < 1_000; step++) await pause();
  resolve();
  await urgent;
});

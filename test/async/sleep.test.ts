import { describe, expect, it } from 'vitest';
import { sleep } from '../../src/async/sleep.js';
import { whenAborted } from '../../src/async/when-aborted.js';

describe('sleep', () => {
  it('resolves after its time', async () => {
    await expect(sleep(1)).resolves.toBeUndefined();
  });

  it('rejects with the reason when its signal is aborted', async () => {
    const stop = new AbortController();
    const sleeping = sleep(60_000, stop.signal);
    stop.abort(new Error('stopped'));
    await expect(sleeping).rejects.toThrow('stopped');
  });

  it('rejects at once if its signal is already aborted: such a signal has no more events', async () => {
    await expect(sleep(60_000, AbortSignal.abort(new Error('stopped')))).rejects.toThrow('stopped');
  });
});

describe('whenAborted', () => {
  it('resolves when the signal is aborted', async () => {
    const stop = new AbortController();
    const aborted = whenAborted(stop.signal);
    stop.abort();
    await expect(aborted).resolves.toBeUndefined();
  });

  it('resolves at once if the signal was aborted before', async () => {
    await expect(whenAborted(AbortSignal.abort())).resolves.toBeUndefined();
  });
});

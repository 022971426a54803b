import { describe, expect, it } from 'vitest';
import { readStream } from '../../../src/master/store/read-stream.js';
import type { Store } from '../../../src/master/store/store.js';
import { refusal } from '../../support/refusal.js';

/** A stream whose consumers deliver some messages each, and stop. */
function stoppingStream(newest: number, deliveries: readonly (readonly number[])[]) {
  const starts: (number | undefined)[] = [];
  const message = (seq: number) => ({ seq, time: new Date(seq) });
  const js = {
    consumers: {
      get: async (_stream: string, options: { opt_start_seq?: number }) => {
        const delivered = deliveries[starts.length] ?? [];
        starts.push(options.opt_start_seq);
        return {
          delete: async () => true,
          consume: async () => ({
            close: async () => undefined,
            async *[Symbol.asyncIterator]() {
              for (const seq of delivered) yield message(seq);
            },
          }),
        };
      },
    },
  };
  const jsm = { streams: { getMessage: async () => message(newest) } };
  return { store: { js, jsm } as unknown as Pick<Store, 'js' | 'jsm'>, starts };
}

async function read(store: Pick<Store, 'js' | 'jsm'>, options: { lastPerSubject?: boolean } = {}) {
  const seen: number[] = [];
  for await (const { seq } of readStream(store, 'events', { filter: 'event.>', ...options })) seen.push(seq);
  return seen;
}

describe('a stream that stops in the middle', () => {
  it('is read on from there, without a gap or a duplicate', async () => {
    const { store, starts } = stoppingStream(5, [
      [1, 3],
      [4, 5],
    ]);
    expect(await read(store)).toEqual([1, 3, 4, 5]);
    expect(starts).toEqual([undefined, 4]);
  });

  it('is an error when it stops again', async () => {
    const { store, starts } = stoppingStream(5, [[1], [2]]);
    await refusal('ERR_FLEET_STORE', () => read(store));
    expect(starts).toHaveLength(2);
  });

  it('is an error at once when the last message of each subject was asked for, and some are read', async () => {
    const { store, starts } = stoppingStream(5, [[1], [2, 5]]);
    await refusal('ERR_FLEET_STORE', () => read(store, { lastPerSubject: true }));
    expect(starts).toHaveLength(1);
  });
});

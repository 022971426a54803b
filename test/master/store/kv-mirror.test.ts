import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import * as v from 'valibot';
import { KvMirror } from '../../../src/master/store/kv-mirror.js';
import { keptLog } from '../../support/kept-log.js';
import { MemoryBucket } from '../../support/memory-bucket.js';
import { refusal } from '../../support/refusal.js';
import { waitFor } from '../../support/wait-for.js';

const schema = v.object({ n: v.number() });

async function opened(values: Record<string, unknown> = {}) {
  const bucket = new MemoryBucket();
  for (const [key, value] of Object.entries(values)) bucket.set(key, value);
  const { logger, lines } = keptLog();
  const mirror = await KvMirror.open({ bucket: bucket.kv, schema, logger });
  const changes: unknown[] = [];
  mirror.onChange((key, value) => void changes.push([key, value?.n]));
  return { bucket, mirror, changes, lines };
}

const plusOne = (value: { n: number } | undefined) => ({ n: (value?.n ?? 0) + 1 });
const delivered = () => new Promise(setImmediate);

beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] }));
afterEach(() => void vi.useRealTimers());

describe('a mirror of a bucket', () => {
  it('opens with every value in memory, and then follows the bucket', async () => {
    const { bucket, mirror, changes } = await opened({ a: { n: 1 }, b: { n: 2 } });
    expect([...mirror.entries()].sort()).toEqual([
      ['a', { n: 1 }],
      ['b', { n: 2 }],
    ]);
    bucket.set('a', { n: 7 });
    await delivered();
    expect(mirror.get('a')).toEqual({ n: 7 });
    expect(changes).toEqual([['a', 7]]);
    mirror.close();
  });

  it('repeats a decision on the value of a faster master', async () => {
    const { bucket, mirror } = await opened({ a: { n: 1 } });
    bucket.beforePut = () => bucket.set('a', { n: 10 });
    expect(await mirror.change('a', plusOne)).toEqual({ value: { n: 11 }, written: true });
    expect(bucket.value('a')).toEqual({ n: 11 });
    mirror.close();
  });

  it('serializes concurrent changes of one key, so that none conflicts', async () => {
    const { bucket, mirror } = await opened();
    await Promise.all(Array.from({ length: 20 }, () => mirror.change('a', plusOne)));
    expect(bucket.value('a')).toEqual({ n: 20 });
    mirror.close();
  });

  it('creates a value without reading first, unless the key is taken or the decision needs the value', async () => {
    const bucket = new MemoryBucket();
    const { kv } = bucket;
    let reads = 0;
    const counted = { ...kv, get: (key: string) => ((reads += 1), kv.get(key)) } as typeof kv;
    const mirror = await KvMirror.open({ bucket: counted, schema, logger: keptLog().logger });
    expect(await mirror.change('a', plusOne)).toEqual({ value: { n: 1 }, written: true });
    expect(reads).toBe(0);
    // another master creates it first
    bucket.beforePut = () => bucket.set('b', { n: 10 });
    expect(await mirror.change('b', plusOne)).toEqual({ value: { n: 11 }, written: true });
    expect(reads).toBe(1);
    // another master has created it, and the watch is late
    bucket.silence();
    bucket.set('c', { n: 20 });
    const existing = (value: { n: number } | undefined) => {
      if (value === undefined) throw new RangeError('there is none');
      return plusOne(value);
    };
    expect(await mirror.change('c', existing)).toEqual({ value: { n: 21 }, written: true });
    await expect(mirror.change('d', existing)).rejects.toThrow(RangeError);
    expect(await mirror.change('d', () => undefined)).toEqual({ value: undefined, written: false });
    expect(reads).toBe(4);
    mirror.close();
  });

  it('writes nothing when the decision is to leave the value', async () => {
    const { bucket, mirror } = await opened({ a: { n: 1 } });
    expect(await mirror.change('a', () => undefined)).toEqual({ value: { n: 1 }, written: false });
    expect(bucket.value('a')).toEqual({ n: 1 });
    mirror.close();
  });

  it('recognizes its own write when the answer was lost', async () => {
    const { bucket, mirror } = await opened({ a: { n: 1 } });
    // the write arrives, its answer does not, and the retry conflicts with it
    bucket.beforePut = () => {
      bucket.set('a', { n: 2 });
      bucket.failures.push(new Error('timeout'));
    };
    expect(await mirror.change('a', plusOne)).toEqual({ value: { n: 2 }, written: true });
    mirror.close();
  });

  it('does not parse its own write when the watch delivers it, but parses others', async () => {
    const bucket = new MemoryBucket();
    const parsed: number[] = [];
    const counting = v.pipe(
      schema,
      v.check(({ n }) => parsed.push(n) > 0),
    );
    const put: typeof bucket.kv.put = async (...args) => {
      const revision = await bucket.kv.put(...args);
      await delivered(); // the watch is faster than the confirmation
      return revision;
    };
    const kv = { ...bucket.kv, put } as typeof bucket.kv;
    const mirror = await KvMirror.open({ bucket: kv, schema: counting, logger: keptLog().logger });
    const changes: unknown[] = [];
    mirror.onChange((key, value) => void changes.push([key, value?.n]));
    await mirror.change('a', plusOne);
    expect(changes).toEqual([['a', 1]]);
    expect(parsed).toEqual([]);
    bucket.beforePut = () => bucket.set('a', { n: 10 });
    await mirror.change('a', plusOne);
    expect(changes.at(-1)).toEqual(['a', 11]);
    expect(new Set(parsed)).toEqual(new Set([10]));
    mirror.close();
  });

  it('rethrows the error of a decision, and changes nothing', async () => {
    const { bucket, mirror } = await opened({ a: { n: 1 } });
    const refuse = () => {
      throw new RangeError('no');
    };
    await expect(mirror.change('a', refuse)).rejects.toThrow(RangeError);
    expect(bucket.value('a')).toEqual({ n: 1 });
    mirror.close();
  });

  it('skips a value of an unknown form, logs it, and refuses to change it', async () => {
    const { mirror, lines } = await opened({ a: { n: 1 }, later: { version: 2 } });
    expect(mirror.size).toBe(1);
    expect(lines).toMatchObject([{ level: 'error', fields: { key: 'later' } }]);
    await refusal('ERR_FLEET_RECORD', () => mirror.change('later', plusOne));
    mirror.close();
  });

  it('drops deleted keys', async () => {
    const { mirror, changes } = await opened({ a: { n: 1 } });
    await mirror.delete('a');
    expect(mirror.get('a')).toBeUndefined();
    expect(changes).toEqual([['a', undefined]]);
    mirror.close();
  });

  it('drops what another master deleted, but takes an empty value for no deletion', async () => {
    const { bucket, mirror, changes, lines } = await opened({ a: { n: 1 }, b: { n: 2 } });
    await bucket.kv.put('a', '');
    await bucket.kv.delete('b');
    await waitFor('the deletion', () => changes.length > 0);
    expect(changes).toEqual([['b', undefined]]);
    expect(mirror.get('a')).toEqual({ n: 1 });
    expect(lines).toMatchObject([{ level: 'error', fields: { key: 'a' } }]);
    mirror.close();
  });

  it('watches again when its watch has stopped following', async () => {
    const { bucket, mirror, lines } = await opened({ a: { n: 1 } });
    bucket.silence();
    bucket.set('a', { n: 2 });
    for (let look = 0; look < 3; look++) {
      vi.advanceTimersToNextTimer();
      await delivered();
      await delivered();
    }
    expect(mirror.get('a')).toEqual({ n: 2 });
    expect(lines).toMatchObject([{ level: 'warn', text: expect.stringContaining('stopped; restarting') }]);
    mirror.close();
  });
});

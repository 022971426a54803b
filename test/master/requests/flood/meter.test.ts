import { describe, expect, it } from 'vitest';
import { FloodMeter, heavySenders } from '../../../../src/master/requests/flood/meter.js';

const LIMITS = { requests: 10, bytes: 1_000 };

function windows(meter: FloodMeter, counts: readonly number[], caller = 'web-01', bytes = 1): string[][] {
  return counts.map((count) => {
    for (let i = 0; i < count; i += 1) meter.note(caller, bytes);
    return meter.endWindow().map((flooder) => flooder.caller);
  });
}

describe('a flooding caller', () => {
  it('is named after three windows above the limit, for as long as it persists', () => {
    expect(windows(new FloodMeter(LIMITS), [10, 10, 10, 10, 0, 0])).toEqual([
      [],
      [],
      ['web-01'],
      ['web-01'],
      [],
      [],
    ]);
  });

  it('is not one that exceeds the rate briefly, or stays just below it', () => {
    expect(windows(new FloodMeter(LIMITS), [500, 500, 0, 0, 0]).flat()).toEqual([]);
    expect(windows(new FloodMeter(LIMITS), Array<number>(50).fill(9)).flat()).toEqual([]);
  });

  it('is also detected by bytes', () => {
    expect(windows(new FloodMeter(LIMITS), [2, 2, 2], 'web-01', 600).at(-1)).toEqual(['web-01']);
  });

  it('stays known across silent windows, which a broken connection makes, and is forgotten after more', () => {
    const meter = new FloodMeter(LIMITS);
    expect(windows(meter, [10, 10, 10, 10, 10, 0, 0, 10]).at(-1)).toEqual(['web-01']);
    expect(windows(meter, [0, 0, 0, 0, 0, 0, 10, 10]).flat()).toEqual([]);
  });

  it('is distinguished from others, the worst first, within bounded memory', () => {
    const meter = new FloodMeter(LIMITS);
    let last: string[] = [];
    for (let turn = 0; turn < 3; turn += 1) {
      for (let i = 0; i < 20; i += 1) meter.note('a', 1);
      for (let i = 0; i < 30; i += 1) meter.note('b', 1);
      for (let i = 0; i < 5_000; i += 1) meter.note(`other-${turn}-${i}`, 1);
      last = meter.endWindow().map(({ caller }) => caller);
    }
    expect(last).toEqual(['b', 'a']);
  });
});

describe('the connections that send it', () => {
  const sent = (cid: number, messages: number, bytes = 0, server = 'N1') => ({
    server,
    cid,
    sent: { messages, bytes },
  });
  const snapshot = (...users: ReturnType<typeof sent>[]) => ({ servers: new Set(['N1']), users });

  it('are the connections with rising counts', () => {
    const before = snapshot(sent(1, 5), sent(2, 1_000_000), sent(3, 0, 0));
    const after = snapshot(sent(1, 5_000), sent(2, 1_000_001), sent(3, 1, 900_000));
    expect(heavySenders(before, after, 2, LIMITS).map(({ cid }) => cid)).toEqual([1, 3]);
  });

  it('include new ones, and each of many that share the load', () => {
    const after = snapshot(...Array.from({ length: 10 }, (_, cid) => sent(cid, 2)));
    expect(heavySenders(snapshot(), after, 2, LIMITS)).toHaveLength(10);
  });

  it('exclude quiet ones, and those of a server that did not answer the first time', () => {
    expect(heavySenders(snapshot(), snapshot(sent(1, 1_000_000, 0, 'N2')), 2, LIMITS)).toEqual([]);
    expect(heavySenders(snapshot(sent(1, 0)), snapshot(sent(1, 19)), 2, LIMITS)).toEqual([]);
  });
});

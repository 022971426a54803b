import { describe, expect, it } from 'vitest';
import { judgeRetention, type StreamHeld } from '../../src/account/judge-retention.js';

const DAY = 86_400_000;
const NOW = Date.parse('2026-06-01T00:00:00Z');
const daysAgo = (days: number) => new Date(NOW - days * DAY).toISOString();
const days = (count: number) => count * DAY * 1e6;

const judged = (config: StreamHeld['config'], state: Partial<StreamHeld['state']> = {}) =>
  judgeRetention(
    { config, state: { messages: 10, bytes: 1_000, first_seq: 1, first_ts: daysAgo(1), ...state } },
    NOW,
  );

describe('an audit log', () => {
  it('that has all its events has deleted nothing, regardless of its limits', () => {
    expect(judged({}).deleted).toBe('nothing');
    expect(judged({ max_age: days(400), max_bytes: 5_000 })).toEqual({
      retention: { maxAgeMs: 400 * DAY, maxBytes: 5_000 },
      bytes: 1_000,
      oldest: daysAgo(1),
      deleted: 'nothing',
      soon: undefined,
    });
  });

  it('keeps events forever when the server names no limit', () => {
    expect(judged({ max_age: 0, max_bytes: -1 }).retention).toEqual({ maxAgeMs: 0, maxBytes: 0 });
  });

  it.each<[string, StreamHeld['config'], Partial<StreamHeld['state']>, string]>([
    [
      'by age, when the oldest event is about as old as may be',
      { max_age: days(400) },
      { first_ts: daysAgo(399) },
      'age',
    ],
    ['by age, when it is empty', { max_age: days(400) }, { messages: 0 }, 'age'],
    ['by size, when it is full', { max_bytes: 1_000 }, { bytes: 990 }, 'size'],
    ['by somebody, when there is no limit', {}, {}, 'unexplained'],
    [
      'by somebody, when the oldest event is young',
      { max_age: days(400) },
      { first_ts: daysAgo(3) },
      'unexplained',
    ],
    ['by somebody, when there is room', { max_bytes: 1_000_000 }, {}, 'unexplained'],
  ])('has lost its first events %s', (_what, config, state, deleted) => {
    expect(judged(config, { first_seq: 500, ...state }).deleted).toBe(deleted);
  });

  it.each<[string, StreamHeld['config'], Partial<StreamHeld['state']>, string | undefined]>([
    ['30 days before its age ends', { max_age: days(400) }, { first_ts: daysAgo(371) }, 'age'],
    ['not earlier', { max_age: days(400) }, { first_ts: daysAgo(369) }, undefined],
    ['a tenth before, when it is short', { max_age: days(10) }, { first_ts: daysAgo(9.5) }, 'age'],
    ['at nine tenths of its size', { max_bytes: 1_000 }, { bytes: 900 }, 'size'],
    ['not when it is empty', { max_age: days(1) }, { messages: 0 }, undefined],
  ])('warns %s', (_what, config, state, soon) => {
    expect(judged(config, state).soon).toBe(soon);
  });
});

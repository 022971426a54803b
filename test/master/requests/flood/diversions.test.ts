import { describe, expect, it } from 'vitest';
import { Diversions } from '../../../../src/master/requests/flood/diversions.js';

const LIMITS = { requests: 10, bytes: 1_000 };

function note(diversions: Diversions, caller: string, count: number, bytes = 1): boolean[] {
  return Array.from({ length: count }, () => diversions.note(caller, bytes));
}

describe('a caller is diverted', () => {
  it('with the request that reaches the limit, and once', () => {
    const diversions = new Diversions(LIMITS);
    expect(note(diversions, 'web-01', 12)).toEqual([...Array<boolean>(9).fill(false), true, false, false]);
    expect(diversions.size).toBe(1);
  });

  it('by its bytes too', () => {
    expect(note(new Diversions(LIMITS), 'web-01', 3, 400)).toEqual([false, false, true]);
  });

  it('not while it stays below the limit of each window', () => {
    const diversions = new Diversions(LIMITS);
    for (let turn = 0; turn < 50; turn += 1) {
      expect(note(diversions, 'web-01', 9)).not.toContain(true);
      expect(diversions.endWindow()).toEqual([]);
    }
  });

  it('alone', () => {
    const diversions = new Diversions(LIMITS);
    note(diversions, 'web-01', 10);
    expect(note(diversions, 'web-02', 9)).not.toContain(true);
  });

  it('until it has been quiet for twenty windows in a row', () => {
    const diversions = new Diversions(LIMITS);
    note(diversions, 'web-01', 10);
    diversions.endWindow();
    for (let window = 0; window < 19; window += 1) expect(diversions.endWindow()).toEqual([]);
    note(diversions, 'web-01', 10);
    diversions.endWindow();
    for (let window = 0; window < 19; window += 1) expect(diversions.endWindow()).toEqual([]);
    expect(diversions.endWindow()).toEqual(['web-01']);
    expect(diversions.size).toBe(0);
    expect(note(diversions, 'web-01', 10)).toContain(true);
  });

  it('with at most thirty-one others', () => {
    const diversions = new Diversions(LIMITS);
    for (let i = 0; i < 100; i += 1) note(diversions, `web-${i}`, 10);
    expect(diversions.size).toBe(32);
  });
});

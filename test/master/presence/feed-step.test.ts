import { describe, expect, it } from 'vitest';
import { feedStep, type FeedState } from '../../../src/master/presence/feed-step.js';

const state: FeedState = { holder: 'M1', since: 10, number: 4, isComplete: true };
const message = (number: number, peels: number, of: { holder?: string; since?: number } = {}) => ({
  holder: 'M1',
  since: 10,
  number,
  peels: Array.from({ length: peels }, () => ['web-01', 0, [], 0] as [string, number, never[], number]),
  ...of,
});

describe('a presence message of a master', () => {
  it('is followed as long as no message is missing', () => {
    expect(feedStep(state, message(5, 2), 'M1')).toMatchObject({
      state: { number: 5, isComplete: true },
      hasGap: false,
    });
    expect(feedStep(state, message(4, 0), undefined)).toMatchObject({
      state: { number: 4, isComplete: true },
      hasGap: false,
    });
  });

  it('triggers a full read if the one before it is missing, even if it has no changes', () => {
    expect(feedStep(state, message(6, 2), 'M1')).toMatchObject({
      state: { number: 6, isComplete: false },
      hasGap: true,
    });
    expect(feedStep(state, message(5, 0), 'M1')).toMatchObject({
      state: { isComplete: false },
      hasGap: true,
    });
  });

  it('is still to be read where it could not be', () => {
    expect(feedStep({ ...state, isComplete: false }, message(5, 1), 'M1').hasGap).toBe(true);
  });

  it('is read completely when another master takes over, regardless of its clock', () => {
    expect(feedStep(undefined, message(9, 0), undefined)).toMatchObject({
      state: { number: 9 },
      hasGap: true,
    });
    const next = feedStep(state, message(0, 0, { holder: 'M2', since: 2 }), 'M2');
    expect(next).toMatchObject({ state: { holder: 'M2', number: 0 }, hasGap: true, isIgnored: false });
    const again = feedStep(next.state, message(0, 0, { holder: 'M2', since: 1 }), 'M2');
    expect(again).toMatchObject({ state: { since: 1 }, hasGap: true });
  });

  it('is ignored from a master that no longer watches, or does not watch yet', () => {
    const following: FeedState = { ...state, holder: 'M2' };
    expect(feedStep(following, message(5, 1), 'M2')).toEqual({
      state: following,
      isIgnored: true,
      hasGap: false,
    });
    expect(feedStep(undefined, message(5, 1), 'M2').isIgnored).toBe(true);
  });
});

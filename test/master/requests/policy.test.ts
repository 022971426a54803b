import { describe, expect, it } from 'vitest';
import { decisionOf, isPolicyDecision } from '../../../src/master/requests/policy.js';

describe('the acceptance policy', () => {
  it.each([
    ['manual', { trusted: true, returning: false }, 'pending'],
    ['auto-trusted', { trusted: true, returning: false }, 'accept'],
    ['auto-trusted', { trusted: false, returning: false }, 'pending'],
    // an ID that was rejected or revoked comes back by an admin's decision
    ['auto-trusted', { trusted: true, returning: true }, 'pending'],
    ['auto-all', { trusted: false, returning: true }, 'accept'],
  ] as const)('%s, of %j: %s', (policy, newcomer, decision) => {
    expect(decisionOf(policy, newcomer)).toBe(decision);
  });

  it('distinguishes a decision from anything else', () => {
    for (const decision of ['accept', 'reject', 'pending']) expect(isPolicyDecision(decision)).toBe(true);
    for (const other of [true, 'Accept', 'accepted', undefined, null, {}, ['accept'], 1])
      expect(isPolicyDecision(other)).toBe(false);
  });
});

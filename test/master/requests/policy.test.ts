import { describe, expect, it } from 'vitest';
import {
  decisionOf,
  isPolicyDecision,
  type AcceptancePolicy,
  type Newcomer,
  type PolicyDecision,
} from '../../../src/master/requests/policy.js';

/** What each policy decides on each newcomer. A new policy needs its row here to compile. */
const DECISIONS: Record<AcceptancePolicy, [Newcomer, PolicyDecision][]> = {
  manual: [
    [{ trusted: true, returning: false }, 'pending'],
    [{ trusted: false, returning: false }, 'pending'],
    [{ trusted: true, returning: true }, 'pending'],
    [{ trusted: false, returning: true }, 'pending'],
  ],
  'auto-trusted': [
    [{ trusted: true, returning: false }, 'accept'],
    [{ trusted: false, returning: false }, 'pending'],
    // an ID that was rejected or revoked comes back by an admin's decision
    [{ trusted: true, returning: true }, 'pending'],
    [{ trusted: false, returning: true }, 'pending'],
  ],
  'auto-all': [
    [{ trusted: true, returning: false }, 'accept'],
    [{ trusted: false, returning: false }, 'accept'],
    [{ trusted: true, returning: true }, 'accept'],
    [{ trusted: false, returning: true }, 'accept'],
  ],
};

describe('the acceptance policy', () => {
  it.each(Object.entries(DECISIONS))('%s', (policy, decisions) => {
    for (const [newcomer, decision] of decisions)
      expect(decisionOf(policy as AcceptancePolicy, newcomer), JSON.stringify(newcomer)).toBe(decision);
  });

  it('distinguishes a decision from anything else', () => {
    for (const decision of ['accept', 'reject', 'pending']) expect(isPolicyDecision(decision)).toBe(true);
    for (const other of [true, 'Accept', 'accepted', undefined, null, {}, ['accept'], 1])
      expect(isPolicyDecision(other)).toBe(false);
  });
});

import { describe, expect, it } from 'vitest';
import {
  decisionOf,
  isPolicyDecision,
  POLICIES,
  type AcceptancePolicy,
  type Newcomer,
  type PolicyDecision,
} from '../../../src/master/requests/policy.js';

/** Everybody who may ask. A new fact about newcomers, even an optional one, needs its value here to compile. */
const NEWCOMERS = {
  vouchedFor: { trusted: true, returning: false },
  unknown: { trusted: false, returning: false },
  // an ID that was rejected or revoked
  backVouchedFor: { trusted: true, returning: true },
  backUnknown: { trusted: false, returning: true },
} satisfies Record<string, Required<Newcomer>>;
type Who = keyof typeof NEWCOMERS;

/** What each policy decides on each newcomer. A new policy needs its row here to compile. */
const DECISIONS: Record<AcceptancePolicy, Record<Who, PolicyDecision>> = {
  manual: { vouchedFor: 'pending', unknown: 'pending', backVouchedFor: 'pending', backUnknown: 'pending' },
  'auto-trusted': {
    vouchedFor: 'accept',
    unknown: 'pending',
    backVouchedFor: 'pending',
    backUnknown: 'pending',
  },
  'auto-all': { vouchedFor: 'accept', unknown: 'accept', backVouchedFor: 'accept', backUnknown: 'accept' },
};

describe('the acceptance policy', () => {
  it.each(POLICIES)('%s', (policy) => {
    const decided = Object.entries(NEWCOMERS).map(([who, facts]) => [who, decisionOf(policy, facts)]);
    expect(Object.fromEntries(decided)).toEqual(DECISIONS[policy]);
  });

  it('is not the same as another one', () => {
    // a new policy with the row of another has a fact of its own, and the newcomers above do not differ in it
    const rows = POLICIES.map((policy) =>
      JSON.stringify(Object.values(NEWCOMERS).map((facts) => decisionOf(policy, facts))),
    );
    expect(new Set(rows).size, rows.join('\n')).toBe(POLICIES.length);
  });

  it('accepts nobody unknown, and nobody back, unless it is the one for development', () => {
    for (const policy of POLICIES.filter((one) => one !== 'auto-all'))
      for (const who of ['unknown', 'backVouchedFor', 'backUnknown'] as const)
        expect(decisionOf(policy, NEWCOMERS[who]), `${policy}, ${who}`).not.toBe('accept');
  });

  it('rejects nobody who is vouched for or back: at worst they wait for an admin', () => {
    const known = Object.values<Newcomer>(NEWCOMERS).filter(({ trusted, returning }) => trusted || returning);
    for (const policy of POLICIES)
      for (const facts of known)
        expect(decisionOf(policy, facts), `${policy}, ${JSON.stringify(facts)}`).not.toBe('reject');
  });

  it('distinguishes a decision from anything else', () => {
    for (const decision of ['accept', 'reject', 'pending']) expect(isPolicyDecision(decision)).toBe(true);
    for (const other of [true, 'Accept', 'accepted', undefined, null, {}, ['accept'], 1])
      expect(isPolicyDecision(other)).toBe(false);
  });
});

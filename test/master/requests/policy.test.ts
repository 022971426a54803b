import { describe, expect, it } from 'vitest';
import { acceptedByPolicy } from '../../../src/master/requests/policy.js';

describe('the acceptance policy', () => {
  it.each([
    ['manual', { trusted: true, returning: false }, false],
    ['auto-trusted', { trusted: true, returning: false }, true],
    ['auto-trusted', { trusted: false, returning: false }, false],
    // an ID that was rejected or revoked comes back by an admin's decision
    ['auto-trusted', { trusted: true, returning: true }, false],
    ['auto-all', { trusted: false, returning: true }, true],
  ] as const)('%s, of %j: %j', (policy, newcomer, accepted) => {
    expect(acceptedByPolicy(policy, newcomer)).toBe(accepted);
  });
});

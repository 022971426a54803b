import { describe, expect, it } from 'vitest';
import { Refusals } from '../../src/connection/refusals.js';

describe('refusals of a server', () => {
  it('are reported once, then less and less often, and again for a new reason or a new outage', () => {
    const refusals = new Refusals();
    const reported: number[] = [];
    for (let s = 0; s <= 1_800; s += 2)
      if (refusals.note('Authorization Violation', s * 1000)) reported.push(s);
    expect(reported).toEqual([0, 30, 90, 210, 510, 1110, 1710]);
    expect(refusals.note('User Authentication Expired', 1_800_000)).toMatchObject({ attempts: 902 });
    refusals.reset();
    expect(refusals.note('User Authentication Expired', 1_801_000)).toMatchObject({ attempts: 1 });
  });

  it('count as one refusal if the server says why it cut a connection, and only "no" to later attempts', () => {
    const refusals = new Refusals();
    expect(refusals.note('User Authentication Revoked', 0)).toMatchObject({ attempts: 1 });
    expect(refusals.note('Authorization Violation', 2_000)).toBeUndefined();
    expect(refusals.note('Authorization Violation', 40_000)).toMatchObject({
      reason: 'User Authentication Revoked',
      advice: expect.stringContaining('revoked'),
    });
    expect(refusals.note('maximum connections exceeded', 41_000)).toBeDefined();
    refusals.reset();
    expect(refusals.note('Authorization Violation', 50_000)).toMatchObject({
      reason: 'Authorization Violation',
    });
  });

  it.each([
    ['Authorization Violation', /revoked, expired, or belong to another operator.*zester doctor/],
    ['User Authentication Expired', /have expired.*\.creds/],
    ['User Authentication Revoked', /are revoked/],
    ['Account Authentication Expired', /account's JWT/],
    ['maximum connections exceeded', /connection limit/],
    ['something else', /server log/],
  ])('suggest a fix for "%s"', (words, advice) => {
    expect(new Refusals().note(words, 0)?.advice).toMatch(advice);
  });

  it('contain nothing that a terminal would interpret', () => {
    const report = new Refusals().note(`\u001b[2J\u202e${'x'.repeat(1_000)}`, 0);
    expect(report?.reason).toMatch(/^[\u0020-\u007e]{1,200}$/);
  });
});

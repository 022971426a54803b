import { expect, it } from 'vitest';
import { overdueTime, renewalTime } from '../../src/trust/judge-expiry.js';

it('renews after two thirds of the life, and warns after three quarters', () => {
  const life = { iat: 1_000, exp: 1_000 + 120 };
  expect(renewalTime(life)).toBe(1_080_000);
  expect(overdueTime(life)).toBe(1_090_000);
});

it.each([{ iat: 1_000 }, { iat: 1_000, exp: 0 }])('never renews what does not expire', (life) => {
  expect([renewalTime(life), overdueTime(life)]).toEqual([Infinity, Infinity]);
});

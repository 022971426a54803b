import { describe, expect, it } from 'vitest';
import { closest } from '../../src/text/closest.js';

describe('a suggestion', () => {
  const names = ['expiry', 'notBefore', 'signingKeys', 'auto-trusted', 'auto-all', 'hitless', 'reconnect'];

  it.each([
    ['expires', 'expiry'],
    ['Expiry', 'expiry'],
    ['not_before', 'notBefore'],
    ['signing_keys', 'signingKeys'],
    ['auto-trsuted', 'auto-trusted'],
    ['hitles', 'hitless'],
    ['rcconnect', 'reconnect'],
  ])('is found for %s', (written, meant) => {
    expect(closest(written, names)).toBe(meant);
  });

  it.each(['conn', '', 'x', 'something else', 'e'.repeat(10_000)])('is nothing for %.20s', (written) => {
    expect(closest(written, names)).toBeUndefined();
  });
});

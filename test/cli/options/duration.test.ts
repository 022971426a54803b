import { describe, expect, it } from 'vitest';
import { parseExpiry, parseExpiryOrNever, parseRenewedLifetime } from '../../../src/cli/options/duration.js';

const NOW = Date.parse('2026-11-29T12:00:00Z');

describe('a lifetime on the command line', () => {
  it.each([
    ['90s', 90],
    ['8h', 28_800],
    ['2w', 1_209_600],
    ['2026-11-30', 43_200],
  ])('%s is %i seconds', (text, seconds) => {
    expect(parseExpiry(text, NOW)).toBe(seconds);
    expect(parseExpiryOrNever(text, NOW)).toBe(seconds);
  });

  it.each(['0', 'none'])('"%s" means never, where a credential may live forever', (text) => {
    expect(parseExpiryOrNever(text, NOW)).toBe(0);
    expect(parseRenewedLifetime(text)).toBe(0);
    expect(() => parseExpiry(text, NOW)).toThrow(/lifetime/);
  });

  it.each(['soon', '-1h', '0s', '2020-01-01', ''])('"%s" is refused', (text) => {
    for (const parse of [parseExpiry, parseExpiryOrNever]) expect(() => parse(text, NOW)).toThrow(/lifetime/);
  });
});

import { describe, expect, it } from 'vitest';
import { generateKeyBundle } from '../../src/index.js';
import { excerpt } from '../../src/text/excerpt.js';
import { quoted } from '../../src/text/quoted.js';

const seed = Buffer.from(generateKeyBundle('user').seed).toString();

describe('an excerpt for a message', () => {
  it('is the whole of a short text, and the beginning of a long one', () => {
    expect(excerpt('web-01', 6)).toBe('web-01');
    expect(excerpt('web-01', 5)).toBe('web-0…');
  });

  it.each([0, 1, 10, 40, 50, 59, 60])('shows nothing of a seed after %i characters', (before) => {
    expect(excerpt('x'.repeat(Math.max(0, before - 1)) + ' '.repeat(Math.min(1, before)) + seed)).not.toMatch(
      /S[A-Z2-7]{3}/,
    );
  });
});

describe('a quoted value', () => {
  it.each([
    ['a "word"', '"a \\"word\\""'],
    ['x'.repeat(61), `"${'x'.repeat(60)}…"`],
    [7, '7'],
    [undefined, 'undefined'],
    [null, 'null'],
    [Buffer.from(seed), 'an object'],
    [[seed], 'an object'],
    [() => seed, 'a function'],
    [Symbol(seed), 'a symbol'],
    [seed, '"(a seed)"'],
  ])('%#', (value, shown) => {
    expect(quoted(value)).toBe(shown);
  });
});

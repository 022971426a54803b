import { expect, it } from 'vitest';
import { bytesText, parseBytes } from '../../src/cli/options/bytes.js';

it('parses an amount of bytes with a unit, and refuses one without', () => {
  expect(['5G', '500M', '1k', '2TiB', '10MB'].map((text) => parseBytes('--size', text))).toEqual([
    5 * 1024 ** 3,
    500 * 1024 ** 2,
    1024,
    2 * 1024 ** 4,
    10 * 1024 ** 2,
  ]);
  for (const text of ['', '5', '-1G', '0M', '5X', '1e9G', '5.5G'])
    expect(() => parseBytes('--size', text), text).toThrow(/use a size such as 500M/);
});

it('formats an amount so that it parses to the same value', () => {
  expect(['5G', '500M', '1K', '2T'].map((text) => bytesText(parseBytes('', text)))).toEqual([
    '5G',
    '500M',
    '1K',
    '2T',
  ]);
  expect(bytesText(1_610_612_736)).toBe('1.5G');
  expect(bytesText(12)).toBe('12');
});

import { expect, it } from 'vitest';
import { MAX_PAGE_BYTES, PageSizes } from '../../src/system-account/page-sizes.js';

it('a server whose pages do not arrive is asked for smaller ones, down to a size that always arrives', () => {
  const sizes = new PageSizes();
  const first = sizes.of('N1');
  expect(first).toBeGreaterThan(MAX_PAGE_BYTES);
  sizes.halve('N1');
  expect(sizes.of('N1')).toBe(first / 2);
  for (let i = 0; i < 10; i += 1) sizes.halve('N1');
  expect(sizes.of('N1')).toBe(1024 * 1024);
  expect(sizes.of('N2')).toBe(first);
});

it('servers that come and go do not make it grow', () => {
  const sizes = new PageSizes();
  for (let i = 0; i < 1_000; i += 1) sizes.halve(`N${i}`);
  const kept = Array.from({ length: 1_000 }, (_, i) => sizes.of(`N${i}`)).filter(
    (size) => size < sizes.of('N'),
  );
  expect(kept.length).toBeLessThanOrEqual(64);
});

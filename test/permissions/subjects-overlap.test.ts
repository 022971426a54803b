import { describe, expect, it } from 'vitest';
import { subjectsOverlap } from '../../src/permissions/subjects-overlap.js';

describe('subjectsOverlap', () => {
  it.each([
    ['zester.>', 'zester.cmd.web-01', true],
    ['zester.*.web-01', 'zester.cmd.>', true],
    ['>', '$JS.API.INFO', true],
    ['*.*.x', 'a.b.*', true],
    ['*', 'zester.cmd', false],
    ['zester.>', 'zester', false],
    ['zester.cmd', 'zester.event', false],
    ['orders.>', 'zester.>', false],
    ['zester', 'zester', true],
  ])('%s and %s: %s, in both directions', (a, b, expected) => {
    expect(subjectsOverlap(a, b)).toBe(expected);
    expect(subjectsOverlap(b, a)).toBe(expected);
  });
});

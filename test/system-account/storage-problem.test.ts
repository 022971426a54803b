import { describe, expect, it } from 'vitest';
import { storageProblem, withoutMajority } from '../../src/system-account/storage-problem.js';

describe('a server’s report on its health', () => {
  it.each([
    "JetStream stream 'A > S' write error: write 1.blk: no space left on device",
    "JetStream stream 'A > S' is not current: stream write error: input/output error",
    'JetStream meta layer write error: no space left on device',
    'JetStream not enabled (10076)',
  ])('says that JetStream has stopped writing: %s', (error) => {
    expect(storageProblem(error)).toBe(error);
  });

  it.each([
    undefined,
    17,
    '',
    'JetStream has not established contact with a meta leader',
    'JetStream is not current with the meta leader',
    'JetStream account "A" not found',
  ])('does not: %s', (error) => {
    expect(storageProblem(error)).toBeUndefined();
  });

  it('is printed without control characters', () => {
    expect(storageProblem('write error\u001b[2J')).not.toContain('\u001b');
  });
});

it('is a problem of the fleet once no majority of the servers writes', () => {
  expect([withoutMajority(0, 1), withoutMajority(1, 1)]).toEqual([false, true]);
  expect([withoutMajority(1, 3), withoutMajority(2, 3)]).toEqual([false, true]);
});

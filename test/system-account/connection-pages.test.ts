import { describe, expect, it } from 'vitest';
import {
  continuesPage,
  FIRST_PAGE,
  firstPageWithJwts,
  nextPage,
} from '../../src/system-account/connection-pages.js';

/** Reads a whole list like a server's: ordered by increasing connection numbers. */
function readAll(
  connections: readonly number[],
  {
    between = () => connections,
    bytesEach = 1_000,
  }: {
    between?: (page: number) => readonly number[];
    bytesEach?: number;
  } = {},
) {
  let [all, last, isComplete] = [connections, undefined as number | undefined, true];
  let next: { offset: number; limit: number } | undefined = { offset: 0, limit: FIRST_PAGE };
  const [found, sizes] = [new Set<number>(), [] as number[]];
  for (let count = 1; next !== undefined; count += 1) {
    const { offset, limit }: { offset: number; limit: number } = next;
    const cids = all.slice(offset, offset + limit);
    for (const cid of cids) found.add(cid);
    sizes.push(cids.length);
    isComplete &&= continuesPage(last, cids);
    next = nextPage({ offset, limit, count: cids.length, bytes: cids.length * bytesEach });
    [last, all] = [cids.at(-1), between(count)];
  }
  return { found, isComplete, sizes };
}

const numbers = (count: number) => Array.from({ length: count }, (_, i) => i + 1);

describe('a list of connections in pages', () => {
  it.each([0, 1, FIRST_PAGE - 1, FIRST_PAGE, FIRST_PAGE + 1, 20_000])(
    'is complete with %i connections',
    (count) => {
      const { found, isComplete } = readAll(numbers(count));
      expect(isComplete).toBe(true);
      expect([...found]).toEqual(numbers(count));
    },
  );

  it('has few pages, since the server scans every connection for each', () => {
    expect(readAll(numbers(16_000), { bytesEach: 1_300 }).sizes.length).toBeLessThanOrEqual(7);
    expect(readAll(numbers(16_000), { bytesEach: 400 }).sizes.length).toBeLessThanOrEqual(2);
  });

  it('has small pages when connections say a lot about themselves', () => {
    const { found, sizes } = readAll(numbers(1_000), { bytesEach: 600_000 });
    expect(found.size).toBe(1_000);
    expect(Math.max(...sizes)).toBe(FIRST_PAGE);
  });

  it('has a first page of JWTs sized by the list without them', () => {
    expect(firstPageWithJwts(undefined)).toBe(FIRST_PAGE);
    expect(firstPageWithJwts(400)).toBeGreaterThan(4_000);
    expect(firstPageWithJwts(600_000)).toBe(FIRST_PAGE);
  });

  it('is complete when a few connections end meanwhile', () => {
    const all = numbers(20_000);
    const { found, isComplete } = readAll(all, { between: (count) => all.slice(10 * count) });
    expect(isComplete).toBe(true);
    expect(found.size).toBe(all.length);
  });

  it('is incomplete when so many end that some are missed', () => {
    const all = numbers(20_000);
    const { found, isComplete } = readAll(all, { between: () => all.slice(100) });
    expect(found.size).toBeLessThan(all.length);
    expect(isComplete).toBe(false);
  });

  it('is not complete when the server lists them in another order', () => {
    expect(continuesPage(undefined, [2, 1])).toBe(false);
  });
});

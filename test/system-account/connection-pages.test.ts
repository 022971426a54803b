import { describe, expect, it } from 'vitest';
import { continuesPage, nextOffset, PAGE } from '../../src/system-account/connection-pages.js';

/** What a server answers of its connections, which it lists in the order of their numbers. */
const page = (connections: readonly number[], offset: number) => connections.slice(offset, offset + PAGE);

function readAll(connections: readonly number[], between: (page: number) => readonly number[]) {
  let [all, offset, last, isWhole] = [connections, 0, undefined as number | undefined, true];
  const found = new Set<number>();
  for (let count = 1; ; count += 1) {
    const cids = page(all, offset);
    for (const cid of cids) found.add(cid);
    isWhole &&= continuesPage(last, cids);
    const next = nextOffset(offset, cids.length);
    if (next === undefined) return { found, isWhole };
    [offset, last, all] = [next, cids.at(-1), between(count)];
  }
}

const numbers = (count: number) => Array.from({ length: count }, (_, i) => i + 1);

describe('a list of connections in pages', () => {
  it.each([0, 1, PAGE - 1, PAGE, PAGE + 1, 5 * PAGE])('is whole with %i connections', (count) => {
    const all = numbers(count);
    const { found, isWhole } = readAll(all, () => all);
    expect(isWhole).toBe(true);
    expect([...found]).toEqual(all);
  });

  it('is whole when a few connections end meanwhile', () => {
    const all = numbers(3 * PAGE);
    const { found, isWhole } = readAll(all, (count) => all.slice(10 * count));
    expect(isWhole).toBe(true);
    expect(found.size).toBe(all.length);
  });

  it('is not whole when so many end that some are missed', () => {
    const all = numbers(4 * PAGE);
    const { found, isWhole } = readAll(all, () => all.slice(100));
    expect(found.size).toBeLessThan(all.length);
    expect(isWhole).toBe(false);
  });

  it('is not whole when the server lists them in another order', () => {
    expect(continuesPage(undefined, [2, 1])).toBe(false);
  });
});

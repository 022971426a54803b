import { describe, expect, it } from 'vitest';
import { lowStorage } from '../../src/system-account/storage-headroom.js';

const MB = 1_000_000;
const storage = (usedBytes: number, maxBytes: number) => ({ server: 'n1', usedBytes, maxBytes });

describe('the file storage of JetStream', () => {
  it.each([
    ['is enough where a fifth and more is free', storage(790 * MB, 1_000 * MB), undefined],
    ['is low where four fifths are used', storage(800 * MB, 1_000 * MB), /200 MB .* of 1,000 MB/],
    ['is low if little is left, even with a small limit', storage(0, 0.4 * MB), /0\.4 MB .* of 0\.4 MB/],
    ['is low where it is full', storage(12 * MB, 10 * MB), /has 0 MB/],
    ['is not judged where no limit is known', storage(5 * MB, 0), undefined],
  ])('%s', (_what, given, words) => {
    if (words === undefined) expect(lowStorage(given)).toBeUndefined();
    else expect(lowStorage(given)).toMatch(words);
  });
});

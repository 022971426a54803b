import { describe, expect, it } from 'vitest';
import { generateKeyBundle } from '../../src/nkeys/key-bundle.js';
import { withoutWholeSeeds } from '../../src/text/whole-seeds.js';

const seed = Buffer.from(generateKeyBundle('user').seed).toString();

describe('a seed', () => {
  it.each(['', ' ', '\n', '\u0002', '\u0017', '\udc02', '"', '\\'])(
    'is redacted in text and in JSON, after %j',
    (before) => {
      const text = `${before}${seed}`;
      expect(withoutWholeSeeds(text)).not.toContain(seed);
      const json = withoutWholeSeeds(JSON.stringify({ text }));
      expect(json).not.toContain(seed);
      expect(JSON.parse(json)).toEqual({ text: `${before}(a seed)` });
    },
  );

  it('is not mistaken for a part of a longer word', () => {
    for (const text of [`A${seed}`, `${seed}7`, `2${seed}`]) expect(withoutWholeSeeds(text)).toBe(text);
  });
});

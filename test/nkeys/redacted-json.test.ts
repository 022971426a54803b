import fc from 'fast-check';
import { expect, it } from 'vitest';
import { redactSeeds } from '../../src/errors.js';
import { generateKeyBundle } from '../../src/nkeys/key-bundle.js';
import { redactedJson } from '../../src/nkeys/redacted-json.js';
import { anyCharacter } from '../support/any-character.js';

const seed = Buffer.from(generateKeyBundle('user').seed).toString();
const encoded = Buffer.from(seed).toString('base64');

/** Texts that hold a seed or a password, plainly or beside what JSON escapes. */
const secret = fc.constantFrom(
  seed,
  `see ${seed}.`,
  `"${seed}"`,
  `\n${seed}`,
  encoded,
  `nats://me:secret@host`,
  `\\u0053${seed}`,
);

it('JSON has every text redacted, whatever surrounds it', () => {
  const value = fc.oneof(fc.string(), fc.string({ unit: anyCharacter }), secret, fc.integer());
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.oneof(value, fc.array(value))), (document) => {
      const textOf = (one: unknown): unknown =>
        typeof one === 'string' ? redactSeeds(one) : Array.isArray(one) ? one.map(textOf) : one;
      const expected = Object.fromEntries(Object.entries(document).map(([name, one]) => [name, textOf(one)]));
      expect(JSON.parse(redactedJson(document))).toEqual(JSON.parse(JSON.stringify(expected)));
    }),
  );
});

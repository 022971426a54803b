import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonChunks } from '../../src/text/json-chunks.js';
import { isNestedDeeper } from '../../src/text/json-depth.js';
import { oneLine, printable, printableJson, printableLines } from '../../src/text/printable.js';
import { anyCharacter } from '../support/any-character.js';

/** Characters that must not reach a terminal unescaped. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;
/** Arbitrary text, biased towards dangerous characters, including lone surrogates. */
const text = fc.oneof(
  fc.string({ unit: anyCharacter }),
  fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)) }),
  fc.string({
    unit: fc.constantFrom(
      '\u001b',
      '[2J',
      '\u009b',
      '\u202e',
      '\u200b',
      '\ufeff',
      '\n',
      '\r',
      'a',
      '\u{e0041}',
    ),
  }),
);

describe('untrusted text', () => {
  it('contains nothing that a terminal interprets or hides', () => {
    fc.assert(fc.property(text, (value) => !UNSAFE.test(printable(value))));
  });

  it('is unchanged if all of it is visible, in any script', () => {
    for (const value of ['web-01', 'Zürich 東京 Ελλάδα', 'a \\ b', '✓ 🍊'])
      expect(printable(value)).toBe(value);
  });

  it('is escaped once, even if sanitized repeatedly', () => {
    fc.assert(fc.property(text, (value) => printable(printable(value)) === printable(value)));
  });

  it.each([
    ['an escape sequence', '\u001b[2J', '\\u001b[2J'],
    ['a C1 control', '\u009b31m', '\\u009b31m'],
    ['a line end', 'a\nb', 'a\\u000ab'],
    ['a right-to-left override', 'a\u202eb', 'a\\u202eb'],
    ['a zero-width space', 'a\u200bb', 'a\\u200bb'],
    ['an Arabic letter mark', '\u061c', '\\u061c'],
    ['a soft hyphen', '\u00ad', '\\u00ad'],
    ['a Hangul filler', '\u3164', '\\u3164'],
    ['a no-break space', '\u00a0', '\\u00a0'],
    ['a tag character, outside of the BMP', '\u{e0041}', '\\udb40\\udc41'],
    ['half of a pair', '\ud800', '\\ud800'],
  ])('has %s escaped', (_what, value, shown) => {
    expect(printable(value)).toBe(shown);
  });

  it('keeps line breaks, and nothing else, in text of several lines', () => {
    expect(printableLines('a\tb\r\nc\u001b')).toBe('a\\u0009b\\u000d\nc\\u001b');
    expect(oneLine('  a \n\n\t b\r\nc ')).toBe('a b c');
  });
});

describe('JSON for printing', () => {
  it('is the same document, and safe to print', () => {
    fc.assert(
      fc.property(fc.jsonValue(), text, fc.constantFrom(undefined, 2), (value, string, indent) => {
        const document = { [string]: string, value };
        const json = printableJson(JSON.stringify(document, null, indent));
        expect(JSON.parse(json)).toEqual(JSON.parse(JSON.stringify(document)));
        expect(UNSAFE.test(json.replaceAll('\n', ''))).toBe(false);
      }),
    );
  });

  it('comes in pieces that together equal JSON.stringify’s output', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.oneof(fc.jsonValue(), fc.constant(undefined))),
        (document) => {
          expect([...jsonChunks(document)].join('')).toBe(JSON.stringify(document, null, 2));
        },
      ),
    );
    const odd = { list: [undefined, () => 1, { a: [] }], none: undefined, at: new Date(0) };
    expect([...jsonChunks(odd)].join('')).toBe(JSON.stringify(odd, null, 2));
    expect([...jsonChunks([1])].join('')).toBe('[\n  1\n]');
  });
});

describe('the depth of JSON', () => {
  const depthOf = (value: unknown): number =>
    typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0;

  it('is that of its arrays and objects, for any strings', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
        const depth = depthOf(value);
        const json = JSON.stringify({ '[[{"\\': value });
        return !isNestedDeeper(json, depth + 1) && isNestedDeeper(json, depth);
      }),
    );
  });

  it('is found without recursion', () => {
    expect(isNestedDeeper('['.repeat(10_000_000), 32)).toBe(true);
  });
});

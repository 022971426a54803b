// Any character of Unicode, for properties of texts.
import fc from 'fast-check';

const SURROGATES = { first: 0xd800, count: 0x800 };

/**
 * The unit of a text: `fc.string({ unit: anyCharacter })`. The `binary` of fast-check has the same characters, and builds
 * a map of all of them for each text of a property.
 */
export const anyCharacter = fc
  .nat(0x10ffff - SURROGATES.count)
  .map((n) => String.fromCodePoint(n < SURROGATES.first ? n : n + SURROGATES.count));

// Base32 without padding, from bytes to bytes: the text of a seed never becomes a string, which could not be wiped.

const ALPHABET = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZ234567', 'latin1');
const NOT_IN_ALPHABET = 0xff;
const VALUE_OF = new Uint8Array(256).fill(NOT_IN_ALPHABET);
for (const [value, character] of ALPHABET.entries()) VALUE_OF[character] = value;

/**
 * Encodes base32 without padding, as the bytes of ASCII text.
 *
 * Source: RFC 4648, section 6.
 */
export function encodeBase32(bytes: Uint8Array): Uint8Array {
  const text = new Uint8Array(Math.ceil((bytes.length * 8) / 5));
  let bits = 0;
  let held = 0;
  let at = 0;
  for (let i = 0; i < bytes.length; i++) {
    held = (held << 8) | (bytes[i] as number);
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text[at++] = ALPHABET[(held >>> bits) & 31] as number;
    }
    held &= (1 << bits) - 1;
  }
  if (bits > 0) text[at] = ALPHABET[(held << (5 - bits)) & 31] as number;
  return text;
}

/**
 * Decodes base32 without padding.
 *
 * @param text ASCII text as bytes
 * @returns undefined for other characters, an impossible length, and nonzero trailing bits
 */
export function decodeBase32(text: Uint8Array): Uint8Array | undefined {
  const bytes = new Uint8Array(Math.floor((text.length * 5) / 8));
  let bits = 0;
  let held = 0;
  let at = 0;
  for (let i = 0; i < text.length; i++) {
    const value = VALUE_OF[text[i] as number] as number;
    if (value === NOT_IN_ALPHABET) {
      bytes.fill(0);
      return undefined;
    }
    held = (held << 5) | value;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes[at++] = held >>> bits;
      held &= (1 << bits) - 1;
    }
  }
  return bits < 5 && held === 0 ? bytes : undefined;
}

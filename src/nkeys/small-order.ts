// Recognizes Ed25519 points of small order, and points with a non-canonical encoding.

/**
 * The points of Ed25519 whose order divides 8, as the 32 bytes of a public key without the sign bit, in canonical and
 * non-canonical encodings. For each of them, signatures that are valid for many or all messages can be made without a
 * seed.
 *
 * Source: libsodium, ed25519_ref10.c (`ge25519_has_small_order`).
 */
const SMALL_ORDER: ReadonlySet<string> = new Set([
  '00'.repeat(32),
  `01${'00'.repeat(31)}`,
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  // p - 1, p and p + 1, where p is 2^255 - 19
  ...['ec', 'ed', 'ee'].map((first) => `${first}${'ff'.repeat(30)}7f`),
]);

/** The second-to-last bytes of the points above: a fast check that excludes nearly all other keys. */
const PENULTIMATE = new Set([...SMALL_ORDER].map((hex) => Number.parseInt(hex.slice(60, 62), 16)));

/** Whether 32 bytes are a public key for which anyone can sign. */
export function hasSmallOrder(raw: Uint8Array): boolean {
  if (!PENULTIMATE.has(raw[30] ?? 0)) return false;
  const bytes = Buffer.from(raw);
  bytes[31] = (bytes[31] ?? 0) & 0x7f;
  return SMALL_ORDER.has(bytes.toString('hex'));
}

/** Whether the number in 32 bytes, without the sign bit, is less than 2^255 - 19, as RFC 8032, 5.1.3 requires. */
export function isCanonical(raw: Uint8Array): boolean {
  return (
    ((raw[31] ?? 0) & 0x7f) !== 0x7f ||
    (raw[0] ?? 0) < 0xed ||
    raw.subarray(1, 31).some((byte) => byte !== 0xff)
  );
}

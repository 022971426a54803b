// The text encoding of nkeys: public keys and seeds.
import { KeyError } from '../errors.js';
import { bytesAs } from '../text/bytes-as.js';
import { decodeBase32, encodeBase32 } from './base32.js';
import { crc16 } from './crc16.js';
import { hasSmallOrder } from './small-order.js';
import { kindOfPrefix, PREFIX_OF_KIND, PREFIX_SEED, withArticle, type KeyKind } from './roles.js';

/**
 * The nkeys text encoding: base32 without padding of `prefix || 32 bytes || crc16 (little endian)`.
 * A seed has two prefix bytes, whose bits encode `S` and the role, so that the text starts with `SO`, `SA`, `SU`, …
 *
 * Source: nkeys, "The Encoding" (docs.nats.io/running-a-nats-service/configuration/securing_nats/auth_intro/nkey_auth).
 */

const RAW_LENGTH = 32;
const PUBLIC_TEXT_LENGTH = 56;
const SEED_TEXT_LENGTH = 58;

/** Encodes a raw 32-byte public key as the text of a key of this kind (56 characters). */
export function encodePublicKey(kind: KeyKind, raw: Uint8Array): string {
  const bytes = new Uint8Array(1 + RAW_LENGTH + 2);
  bytes[0] = PREFIX_OF_KIND[kind];
  bytes.set(raw, 1);
  appendChecksum(bytes);
  return bytesAs('latin1', encodeBase32(bytes));
}

/** Encodes a raw 32-byte private seed as 58 ASCII bytes. Wipes the intermediate buffer. */
export function encodeSeed(kind: KeyKind, raw: Uint8Array): Uint8Array {
  const prefix = PREFIX_OF_KIND[kind];
  const bytes = new Uint8Array(2 + RAW_LENGTH + 2);
  bytes[0] = PREFIX_SEED | (prefix >> 5);
  bytes[1] = (prefix & 0x1f) << 3;
  bytes.set(raw, 2);
  appendChecksum(bytes);
  const text = encodeBase32(bytes);
  bytes.fill(0);
  return text;
}

/** A decoded key. `kind` is undefined for a role that Zester does not use (server, cluster). */
export interface DecodedKey {
  kind: KeyKind | undefined;
  kindName: string;
  raw: Uint8Array;
}

/**
 * Parses the text of a seed.
 *
 * @throws KeyError `ERR_KEY_NOT_A_SEED` for a public key, `ERR_KEY_ENCODING` for text that is not a key,
 *   `ERR_KEY_CHECKSUM` for a damaged key. The message never contains the text.
 */
export function decodeSeed(seed: Uint8Array | string): DecodedKey {
  const text = textOf(seed);
  try {
    return decodeSeedText(text);
  } finally {
    if (text !== seed && typeof seed === 'string') text.fill(0);
  }
}

function decodeSeedText(text: Uint8Array): DecodedKey {
  if (text.length === PUBLIC_TEXT_LENGTH && kindOfPublicKey(bytesAs('latin1', text)) !== undefined) {
    throw new KeyError(
      'ERR_KEY_NOT_A_SEED',
      `a public key (${bytesAs('latin1', text)}) was given where a seed belongs: give the seed, which starts with S`,
    );
  }
  if (text.length !== SEED_TEXT_LENGTH) {
    throw notKey(
      `not a seed: it has ${text.length} characters where a seed has ${SEED_TEXT_LENGTH}; check that it was copied completely`,
    );
  }
  const bytes = fromBase32(text, 'a seed');
  try {
    checkChecksum(bytes, 'the seed');
    const first = bytes[0] as number;
    const second = bytes[1] as number;
    if ((first & 0xf8) !== PREFIX_SEED) {
      throw notKey('not a seed: the text of a seed starts with S');
    }
    const prefix = ((first & 0x07) << 5) | ((second & 0xf8) >> 3);
    const named = nameKind(prefix, 'the seed');
    return { ...named, raw: bytes.slice(2, 2 + RAW_LENGTH) };
  } finally {
    bytes.fill(0);
  }
}

/** The last valid public keys: a JWT names the same few, and each is checked several times. Emptied when it is full. */
const known = new Map<string, DecodedKey>();
const MAX_KNOWN = 512;

/**
 * Parses the text of a public key.
 *
 * @returns a shared object: do not change its bytes
 * @throws KeyError `ERR_KEY_IS_A_SEED` for a seed (whose text is not repeated), `ERR_KEY_ENCODING`, `ERR_KEY_CHECKSUM`.
 */
export function decodePublicKey(publicKey: string): DecodedKey {
  let decoded = known.get(publicKey);
  if (decoded === undefined) {
    decoded = parsePublicKey(publicKey);
    if (known.size >= MAX_KNOWN) known.clear();
    known.set(publicKey, decoded);
  }
  return decoded;
}

function parsePublicKey(publicKey: string): DecodedKey {
  if (typeof publicKey !== 'string') {
    throw notKey(`a public key is a string, this is ${typeof publicKey}`);
  }
  if (/^\s*S[OAUXNC][A-Z2-7]/.test(publicKey)) {
    throw new KeyError(
      'ERR_KEY_IS_A_SEED',
      'a seed was given where a public key belongs: give the public key, and treat the seed as a password',
    );
  }
  if (publicKey.length !== PUBLIC_TEXT_LENGTH) {
    throw notKey(
      `not a public key: it has ${publicKey.length} characters where one has ${PUBLIC_TEXT_LENGTH}`,
    );
  }
  const bytes = fromBase32(asciiBytes(publicKey), 'a public key');
  checkChecksum(bytes, 'the public key');
  const named = nameKind(bytes[0] as number, 'the public key');
  const raw = bytes.slice(1, 1 + RAW_LENGTH);
  if (named.kind !== undefined && hasSmallOrder(raw)) {
    throw notKey('not a public key: anyone can sign for it (a point of small order)');
  }
  return { ...named, raw };
}

/** ASCII text as bytes outside the shared pool, so that they can be wiped. Other characters become 0. */
export function asciiBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    bytes[i] = code < 0x80 ? code : 0;
  }
  return bytes;
}

/** Trims the text of a seed, given as bytes or a string. Returns a view of the input, or new bytes. */
function textOf(seed: Uint8Array | string): Uint8Array {
  if (typeof seed === 'string') return asciiBytes(seed.trim());
  if (!(seed instanceof Uint8Array)) {
    throw notKey(`a seed is bytes or a string, this is ${typeof seed}`);
  }
  let [start, end] = [0, seed.length];
  while (start < end && isSpace(seed[start])) start++;
  while (end > start && isSpace(seed[end - 1])) end--;
  return seed.subarray(start, end);
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0xa0 || (byte !== undefined && byte >= 0x09 && byte <= 0x0d);
}

/** The kind of a public key, also one that Zester does not use; undefined: it is none. */
export function kindOfPublicKey(text: string): string | undefined {
  try {
    return decodePublicKey(text).kindName;
  } catch {
    return undefined;
  }
}

function fromBase32(text: Uint8Array, what: string): Uint8Array {
  const bytes = decodeBase32(text);
  if (bytes !== undefined) return bytes;
  throw notKey(
    `not ${what}: it contains characters that are not base32 (A-Z, 2-7); check that it was copied completely`,
  );
}

function appendChecksum(bytes: Uint8Array): void {
  const end = bytes.length - 2;
  const crc = crc16(bytes, end);
  bytes[end] = crc & 0xff;
  bytes[end + 1] = crc >> 8;
}

function checkChecksum(bytes: Uint8Array, what: string): void {
  const end = bytes.length - 2;
  const found = (bytes[end] as number) | ((bytes[end + 1] as number) << 8);
  if (crc16(bytes, end) !== found) {
    throw new KeyError(
      'ERR_KEY_CHECKSUM',
      `the checksum of ${what} does not match: it is damaged or was copied incorrectly`,
    );
  }
}

function nameKind(prefix: number, what: string): { kind: KeyKind | undefined; kindName: string } {
  const kindName = kindOfPrefix(prefix);
  if (kindName === undefined) {
    throw notKey(`${what} has a prefix that is not an nkey prefix`);
  }
  const kind = kindName in PREFIX_OF_KIND ? (kindName as KeyKind) : undefined;
  return { kind, kindName };
}

/** The error for text that is not a key. */
function notKey(message: string): KeyError {
  return new KeyError('ERR_KEY_ENCODING', message);
}

/** The error for a valid key of another role. */
export function wrongRole(found: string, wanted: string, what: string): KeyError {
  return new KeyError(
    'ERR_KEY_ROLE',
    `${what} is ${withArticle(found)}'s, but ${withArticle(wanted)}'s is needed: check which file or key was given`,
  );
}

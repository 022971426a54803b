// Parses JSON so that every reader understands it the same way.

/**
 * `JSON.parse` takes the last of duplicate members. Go, and so nats-server, also accepts `Name` for `name`, and `ſub`
 * for `sub`: the last of all spellings wins. Text that the server would read differently is refused.
 *
 * `JSON.parse` does the parsing; the scan below only checks the names, in valid JSON. (A library's parser would parse
 * everything a second time, in JavaScript.)
 *
 * Source: pkg.go.dev/encoding/json, "Unmarshal"; RFC 8725, 2.4 and 3.10.
 */

import { jsonTokens } from './json-tokens.js';

/** The names that a Go program looks up, and those of maps, whose keys Go matches exactly. */
export interface KnownNames {
  names: ReadonlySet<string>;
  maps: ReadonlySet<string>;
}

/** Far above any NATS JWT or file of Zester. */
const MAX_DEPTH = 64;

/**
 * Parses JSON, refusing duplicate names within an object, compared without case.
 *
 * @param json the text, or its bytes, which must be UTF-8
 * @param known names that must have this exact spelling wherever a Go program would look them up
 * @throws SyntaxError whose message is a predicate ("is not JSON") and does not quote the text
 */
export function parseStrictJson(json: string | Uint8Array, known?: KnownNames): unknown {
  return readStrictJson(json, known).value;
}

/** As {@link parseStrictJson}, with the text and whether it is plain: see {@link isPlainJson}. */
export function readStrictJson(
  json: string | Uint8Array,
  known?: KnownNames,
): { value: unknown; text: string; isPlain: boolean } {
  const text = typeof json === 'string' ? json : decodeUtf8(json);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new SyntaxError('is not JSON'); // no cause: the parser's message quotes the text
  }
  const isPlain = isPlainJson(value, text);
  if (!isPlain) checkNames(text, known);
  return { value, text, isPlain };
}

/**
 * Whether JSON is formatted as by `JSON.stringify`, with only lower-case names and whole numbers, like all JWTs of
 * Zester and nsc. Then no name is duplicated or misspelled, nothing is escaped, and every number is valid for Go. This
 * check takes a third of the time of a token-by-token scan.
 *
 * @param value the result of `JSON.parse`
 */
export function isPlainJson(value: unknown, text: string): boolean {
  return !text.includes('\\') && isPlain(value, MAX_DEPTH) && JSON.stringify(value) === text;
}

const PLAIN_NAME = /^[a-z0-9_]*$/;

function isPlain(value: unknown, depth: number): boolean {
  if (typeof value === 'number') return Number.isSafeInteger(value);
  if (typeof value !== 'object' || value === null) return true;
  if (depth === 0) return false;
  if (Array.isArray(value))
    return value.every((item) => typeof item === 'string' || isPlain(item, depth - 1));
  for (const name of Object.keys(value)) {
    if (!PLAIN_NAME.test(name)) return false;
    const member = (value as Record<string, unknown>)[name];
    if (typeof member !== 'string' && !isPlain(member, depth - 1)) return false;
  }
  return true;
}

/**
 * The raw string or number that Go reads into a top-level member of this name: the last of all spellings wins, and
 * `null` is ignored. It never throws, so that a text that {@link parseStrictJson} refuses can still be identified.
 *
 * @returns its JSON; undefined if there is none, or the text is not a JSON object
 */
export function memberAsGoReadsIt(json: Uint8Array, name: string): string | undefined {
  const text = Buffer.from(json).toString('utf8');
  try {
    JSON.parse(text);
  } catch {
    return undefined;
  }
  let last: string | undefined;
  let depth = 0;
  let isNext = false;
  for (const { is, start, end } of jsonTokens(text)) {
    if (is === 'open') depth++;
    else if (is === 'close') depth--;
    if (isNext && (is === 'string' || is === 'number')) last = text.slice(start, end);
    isNext = is === 'name' && depth === 1 && foldName(JSON.parse(text.slice(start, end)) as string) === name;
  }
  return last;
}

/**
 * The same JSON, with every number replaced by a string that Go cannot parse as a 64-bit integer: fractions, exponents
 * (`1e3`, `1.0`) and larger ones. A schema that requires a number then refuses what the server refuses. Go's jwt/v2 reads
 * the members of `signing_keys` as floating-point numbers first, so `1e3` is an integer there.
 *
 * @param text valid JSON
 * @returns undefined if there is no such number
 */
export function markNonIntegers(text: string): unknown {
  let marked = '';
  let copied = 0;
  let depth = 0;
  /** The depth of `signing_keys`; 0 outside of them. */
  let keysAt = 0;
  let name = '';
  for (const { is, start, end } of jsonTokens(text)) {
    const token = text.slice(start, end);
    if (is === 'open') {
      depth++;
      if (name === '"signing_keys"') keysAt ||= depth;
    } else if (is === 'close') {
      if (depth === keysAt) keysAt = 0;
      depth--;
    }
    name = is === 'name' ? token : '';
    if (is !== 'number' || isInt64(keysAt > 0 ? asGoFormatsFloat(token) : token)) continue;
    marked += `${text.slice(copied, start)}"not an integer"`;
    copied = end;
  }
  return copied === 0 ? undefined : (JSON.parse(marked + text.slice(copied)) as unknown);
}

/** A name as Go compares it: case-insensitive, where `ſ` is an s and the Kelvin sign a k. */
export function foldName(name: string): string {
  return /^[a-z0-9_]*$/.test(name) ? name : name.toLowerCase().replaceAll('\u017f', 's');
}

interface Frame {
  /** How Go decodes an object here: a struct with the known names, a map, or ignored. */
  as: 'struct' | 'map' | 'nothing';
  /** Whether this is a list, whose items are decoded the same way. */
  list: boolean;
  names: Set<string>;
  /** The name of the next value. */
  last: string;
}

function checkNames(text: string, known: KnownNames | undefined): void {
  const escapes = text.includes('\\');
  const frames: Frame[] = [];
  for (const { is, start, end } of jsonTokens(text)) {
    const frame = frames.at(-1);
    if (is === 'open') {
      if (frames.length === MAX_DEPTH) throw new SyntaxError(`is nested more than ${MAX_DEPTH} deep`);
      frames.push({ as: readAs(frame, known), list: text[start] === '[', names: new Set(), last: '' });
    } else if (is === 'close') {
      frames.pop();
    } else if (is === 'string' && escapes) {
      stringAt(text, start, end);
    } else if (is === 'name' && frame !== undefined) {
      const name = stringAt(text, start, end);
      const folded = foldName(name);
      const key = frame.as === 'map' ? name : folded;
      if (frame.names.has(key))
        throw new SyntaxError('has a duplicate member (names are compared without case)');
      if (frame.as === 'struct' && name !== folded && known?.names.has(folded) === true) {
        throw new SyntaxError(`spells "${folded}" in another case, which a server reads as "${folded}"`);
      }
      frame.names.add(key);
      frame.last = name;
    }
  }
}

function readAs(parent: Frame | undefined, known: KnownNames | undefined): Frame['as'] {
  if (known === undefined) return 'nothing';
  if (parent === undefined || parent.as === 'map') return 'struct';
  if (parent.list || parent.as === 'nothing') return parent.as;
  if (!known.names.has(parent.last)) return 'nothing';
  return known.maps.has(parent.last) ? 'map' : 'struct';
}

/** @throws SyntaxError for a lone surrogate, which Go replaces with another character */
function stringAt(text: string, start: number, end: number): string {
  const raw = text.slice(start, end);
  if (!raw.includes('\\')) return raw.slice(1, -1);
  const value = JSON.parse(raw) as string;
  if (/\p{Surrogate}/u.test(value)) throw new SyntaxError('contains half a character (a lone surrogate)');
  return value;
}

function asGoFormatsFloat(number: string): string {
  return Number.isInteger(+number) ? String(BigInt(+number)) : number;
}

function isInt64(number: string): boolean {
  return (
    /^-?\d{1,18}$/.test(number) ||
    (/^-?\d{19}$/.test(number) && BigInt.asIntN(64, BigInt(number)) === BigInt(number))
  );
}

/** Reused: creating one takes longer than decoding a JWT. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new SyntaxError('is not UTF-8');
  }
}

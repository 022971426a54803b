// Changes members of a JSON object and keeps the text of all others.
import { JwtError } from '../errors.js';
import { isLatestRevocation } from './latest-seconds.js';
import { jsonTokens } from './json-tokens.js';

/**
 * The members of a JSON object with the raw text of their values. The raw text preserves 64-bit numbers, spellings such
 * as `1.0` and unknown members.
 *
 * @param json valid JSON, an object
 * @example jsonMembers('{"a": 1.0, "b": {"c": 2}}').get('a'); // '1.0'
 */
export function jsonMembers(json: string): Map<string, string> {
  const members = new Map<string, string>();
  let depth = 0;
  let open: { name: string; from: number } | undefined;
  const finish = (to: number) => {
    if (open !== undefined) members.set(open.name, valueIn(json.slice(open.from, to)));
    open = undefined;
  };
  for (const { is, start, end } of jsonTokens(json)) {
    if (is === 'open') depth++;
    else if (is === 'close' && --depth === 0) finish(start);
    else if (is === 'name' && depth === 1) {
      finish(start);
      open = { name: JSON.parse(json.slice(start, end)) as string, from: end };
    }
  }
  return members;
}

/** Removes the colon before the value and the comma after it. */
function valueIn(text: string): string {
  const trimmed = text.trim();
  return trimmed.slice(1, trimmed.endsWith(',') ? -1 : undefined).trim();
}

type Members = Readonly<Record<string, unknown>>;

/**
 * The text of an object after a change: members with an identical value (`===`) keep their text, changed ones are
 * serialized, and undefined ones are omitted. Objects named in `within` are processed recursively.
 *
 * @param json valid JSON, an object
 * @param before its parsed members
 * @param after the new members
 * @throws JwtError `ERR_JWT_CLAIMS` when a changed member has a number that JavaScript cannot represent
 */
export function withChangedMembers(
  json: string,
  before: Members,
  after: Members,
  within: readonly string[] = [],
): string {
  const written = jsonMembers(json);
  const parts: string[] = [];
  for (const name of new Set([...written.keys(), ...Object.keys(after)])) {
    const text = written.get(name);
    const value = after[name];
    const isKept = text !== undefined && value === before[name];
    if (!isKept && value === undefined) continue;
    parts.push(`${JSON.stringify(name)}:${isKept ? text : changed(name, text, before[name], value)}`);
  }
  return `{${parts.join(',')}}`;

  function changed(name: string, text: string | undefined, was: unknown, is: unknown): string {
    if (text !== undefined && within.includes(name) && isObject(was) && isObject(is)) {
      return withChangedMembers(text, was, is);
    }
    refuseInexactNumbers(name, is);
    return JSON.stringify(is);
  }
}

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Go has 64-bit integers; those that a double cannot represent would be altered. */
function refuseInexactNumbers(name: string, value: unknown): void {
  JSON.stringify(value, (key, part: unknown) => {
    if (typeof part !== 'number' || isExact(key, part)) return part;
    throw new JwtError(
      'ERR_JWT_CLAIMS',
      `the JWT's "${key === '' ? name : key}" is a number of more than 53 bits, which JavaScript would change: set it to -1 ` +
        '(no limit) or to a smaller number, with the tool that created the JWT',
    );
  });
}

function isExact(key: string, number: number): boolean {
  if (isLatestRevocation(key, number)) return true;
  return Number.isFinite(number) && (!Number.isInteger(number) || Number.isSafeInteger(number));
}

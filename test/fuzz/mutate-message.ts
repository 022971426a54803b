// Mutates messages: their bytes, their JSON, and their headers.
import { headers as newHeaders, type MsgHdrs } from '@nats-io/nats-core';
import type { SeededRandom } from '../support/random.js';
import { mutate } from './mutate.js';

/** A captured message. */
export interface Captured {
  subject: string;
  data: Uint8Array;
  headers: readonly (readonly [name: string, value: string])[];
}

type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** Values of each type, including edge cases. */
const VALUES: readonly Json[] = [
  ...[null, true, false, 0, -1, 1.5, 1e308, 2 ** 53, -(2 ** 63), '', ' ', 'x', '\u0000', '\ud800'],
  ...['\u202e', '__proto__', '*', '>', 'a.b', '../x', '2026-01-01T00:00:00Z', 'x'.repeat(300)],
  ...[[], {}, [null], [[]], { a: {} }, { length: 1e9 }, { toString: 1 }],
];

/** One random change of a JSON document: a part dropped, duplicated, changed in type, made huge or deeply nested. */
export function mutateJson(text: string, random: SeededRandom): string {
  // deeply nested by an earlier change: walking it here would overflow, too
  if (text.includes('[[[[[[[[') || text.includes('{"a":{"a":{"a":{"a":')) return text;
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch {
    return text;
  }
  const places = placesOf(value);
  const place = places.length === 0 ? undefined : random.pick(places);
  if (place === undefined) return JSON.stringify(random.pick(VALUES));
  const { holder, key } = place;
  const of = holder as Record<string, Json>;
  switch (random.below(8)) {
    case 0:
      if (Array.isArray(holder)) holder.splice(Number(key), 1);
      else Reflect.deleteProperty(of, key);
      return JSON.stringify(value);
    case 1: {
      // a duplicate name with another value, which JSON.stringify cannot produce
      const marker = `dup-${random.below(1e9)}`;
      const was = of[key] ?? null;
      if (Array.isArray(holder)) return JSON.stringify([...(holder as Json[]), was]);
      of[marker] = random.pick([was, random.pick(VALUES)]);
      return JSON.stringify(value).replace(JSON.stringify(marker), () => JSON.stringify(key));
    }
    case 2:
      of[key] = 'x'.repeat(random.pick([1_000, 10_000, 60_000]));
      return JSON.stringify(value);
    case 3: {
      const depth = random.pick([10, 65, 1_000, 20_000]);
      const [open, close] = random.pick([
        ['[', ']'],
        ['{"a":', '}'],
      ] as const);
      of[key] = 'DEEP';
      const nested = `${open.repeat(depth)}1${close.repeat(depth)}`;
      return JSON.stringify(value).replace('"DEEP"', () => nested);
    }
    case 4:
      of[key] = Array.from({ length: random.pick([100, 5_000]) }, () => of[key] ?? null).slice(0, 5_000);
      return JSON.stringify(value).slice(0, 100_000);
    case 5: {
      const other = random.pick(places);
      const swapped = (other.holder as Record<string, Json>)[other.key] ?? null;
      of[key] = JSON.parse(JSON.stringify(swapped)) as Json;
      return JSON.stringify(value);
    }
    default:
      of[key] = random.pick(VALUES);
      return JSON.stringify(value);
  }
}

interface Place {
  holder: object;
  key: string;
}

/** Every value of a document, with its container. */
function placesOf(value: Json): Place[] {
  if (value === null || typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([key, inner]) => [{ holder: value, key }, ...placesOf(inner)]);
}

/**
 * Changes the data of a message, in one to three ways.
 *
 * @param others other captured data, to splice with
 */
export function mutateData(
  data: Uint8Array,
  others: readonly Uint8Array[],
  random: SeededRandom,
): Uint8Array<ArrayBufferLike> {
  let bytes = data;
  for (let n = 1 + random.below(3); n > 0; n -= 1) {
    bytes =
      random.below(3) === 0
        ? mutate(bytes, others, random)
        : Buffer.from(mutateJson(Buffer.from(bytes).toString(), random));
  }
  return bytes;
}

const NAMES = ['Status', 'Description', 'Nats-Msg-Id', 'Nats-Rollup', 'Nats-Expected-Last-Sequence', 'X'];

/** Changes headers: drops, duplicates or changes some, and adds some that NATS interprets. */
export function mutateHeaders(
  headers: Captured['headers'],
  others: readonly Uint8Array[],
  random: SeededRandom,
): MsgHdrs {
  const changed = newHeaders();
  const add = (name: string, value: string) =>
    changed.append(name, value.replace(/[\r\n]/g, ' ').slice(0, 4_000));
  const otherValue = (value: string) =>
    Buffer.from(mutate(Buffer.from(value), others, random)).toString('latin1');
  for (const [name, value] of headers) {
    switch (random.below(6)) {
      case 0:
        break;
      case 1:
        add(name, value);
        add(name, random.pick([value, otherValue(value)]));
        break;
      case 2:
        add(name, otherValue(value));
        break;
      case 3:
        add(name.toLowerCase(), value);
        break;
      default:
        add(name, value);
    }
  }
  for (let n = random.below(3); n > 0; n -= 1) {
    const value = Buffer.from(mutate(Buffer.from('503'), others, random)).toString('latin1');
    add(random.pick(NAMES), value.slice(0, 200));
  }
  return changed;
}

// Handwritten JSON: 64-bit numbers, duplicate names, names in another case.
import type { SeededRandom } from '../../support/random.js';

export type Path = readonly (string | number)[];

/** JSON, written out; undefined: absent. */
export type Raw = string | undefined;

const PLACE = '\u0001here\u0001';

/** The JSON of a value, with the given text for the part at a path. */
export function withRaw(value: unknown, path: Path, raw: Raw): string {
  const copy = structuredClone(value) as Record<string | number, unknown>;
  let parent = copy;
  for (const name of path.slice(0, -1)) {
    parent[name] ??= {};
    parent = parent[name] as Record<string | number, unknown>;
  }
  const last = path.at(-1) ?? '';
  if (raw === undefined) Reflect.deleteProperty(parent, last);
  else parent[last] = PLACE;
  return JSON.stringify(copy).replace(JSON.stringify(PLACE), () => raw ?? '');
}

/** The JSON of a value, with the given additional members, first or last, in the object at a path. */
export function withMembers(value: unknown, path: Path, members: string, where: 'first' | 'last'): string {
  const object = at(value, path);
  const inner = JSON.stringify(object).slice(1, -1);
  const text = where === 'first' ? `{${members},${inner}}` : `{${inner},${members}}`;
  return path.length === 0 ? text : withRaw(value, path, inner === '' ? `{${members}}` : text);
}

/** The JSON of a value, with a renamed member. */
export function withName(value: unknown, path: Path, name: string): string {
  const parent = path.slice(0, -1);
  const old = path.at(-1) ?? '';
  const members = Object.entries(at(value, parent) as object).map(
    ([key, each]) => `${JSON.stringify(key === old ? name : key)}:${JSON.stringify(each)}`,
  );
  const text = `{${members.join(',')}}`;
  return parent.length === 0 ? text : withRaw(value, parent, text);
}

export function at(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((part, name) => (part as Record<string | number, unknown>)[name], value);
}

/** Every path in a value, except the root. */
export function paths(value: unknown, before: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, each]) => {
    const path = [...before, Array.isArray(value) ? Number(name) : name];
    return [path, ...paths(each, path)];
  });
}

/** Any JSON. */
export function anyJson(random: SeededRandom, depth = 3): string {
  const scalars = [
    'null',
    'true',
    'false',
    '0',
    '-1',
    '1',
    '1.5',
    '1e3',
    '""',
    '"a"',
    '"*"',
    '">"',
    '" "',
    '"a b"',
  ];
  const size = random.below(3);
  if (depth === 0 || random.below(3) > 0) return random.pick(scalars);
  const items = Array.from({ length: size }, () => anyJson(random, depth - 1));
  if (random.below(2) === 0) return `[${items.join(',')}]`;
  const names = ['allow', 'deny', 'a', 'start', 'end', 'max', 'ttl', 'sub'];
  return `{${items.map((item, i) => `${JSON.stringify(names[(random.below(8) + i * 3) % 8])}:${item}`).join(',')}}`;
}

// Validates the options of public functions at run time.

/**
 * Checks the options that a program gives to a public function: types are gone at run time, and an option that is misspelled or
 * has a value that nobody knows would be ignored. Values that need more than a look (a time, a subject) are checked where they
 * are used.
 */
import * as v from 'valibot';
import type { ZesterError } from '../errors.js';
import { closest } from '../text/closest.js';

/** A schema for each option. All may be left out, or be undefined. */
export type OptionEntries = Readonly<Record<string, v.GenericSchema>>;

/** A schema for every member of a type, and for no other. */
export type Entries<Options> = Record<keyof Options, v.GenericSchema>;

export const text = v.string('must be a string');
export const flag = v.boolean('must be true or false');
/** Any number; the user of the value checks for NaN and limits. */
export const number = v.custom<number>((value) => typeof value === 'number', 'must be a number');
export const numberOrNull = v.custom<number | null>(
  (value) => typeof value === 'number' || value === null,
  'must be a number, or null for none',
);
export const callback = v.custom<() => unknown>((value) => typeof value === 'function', 'must be a function');
/** An object with any members. */
export const object = v.custom<Record<string, unknown>>(isObject, 'must be an object');
/** Not looked into: another library's object, a key, a type that is checked elsewhere. */
export const anything = v.unknown();

/**
 * What accepts a value without the schema: a tenth of the cost, which issuing credentials in bulk would notice. What is not
 * accepted may be valid all the same; the schema decides, and says what is wrong.
 */
const accepts = new WeakMap<v.GenericSchema, (value: unknown) => boolean>([
  [text, (value) => typeof value === 'string'],
  [flag, (value) => typeof value === 'boolean'],
  [number, (value) => typeof value === 'number'],
  [callback, (value) => typeof value === 'function'],
  [object, isObject],
  [anything, () => true],
]);

/** One of some words. */
export function oneOf(words: readonly string[]) {
  return v.picklist(words, ({ input }) => {
    const known = words.map((word) => JSON.stringify(word)).join(', ');
    const meant = typeof input === 'string' ? didYouMean(input, words) : '';
    return `is ${shown(input)}, and must be one of ${known}${meant}`;
  });
}

/** A list. */
export function listOf(items: v.GenericSchema) {
  return v.array(items, 'must be a list');
}

/** More about an object of options. */
export interface BagRules {
  /** Options that must be given. */
  required?: readonly string[];
  /** What to do about names that belong elsewhere. */
  instead?: Readonly<Record<string, string>>;
}

/** An object with these members and no others. */
export function bag(entries: OptionEntries, { required = [], instead = {} }: BagRules = {}) {
  const names = Object.keys(entries);
  const schema = v.pipe(
    object,
    v.rawCheck(({ dataset, addIssue }) => {
      if (!dataset.typed) return;
      const unknown = Object.keys(dataset.value).find(
        (name) => !Object.hasOwn(entries, name) && dataset.value[name] !== undefined,
      );
      if (unknown === undefined) {
        const missing = required.find((name) => dataset.value[name] === undefined);
        if (missing !== undefined) addIssue({ message: `lacks ${JSON.stringify(missing)}` });
        return;
      }
      const hint = Object.hasOwn(instead, unknown)
        ? `; ${instead[unknown]}`
        : didYouMean(unknown, names) || `: it has ${names.join(', ')}`;
      addIssue({ message: `has no ${shown(unknown)}${hint}` });
    }),
    v.looseObject(Object.fromEntries(names.map((name) => [name, v.optional(entries[name] ?? anything)]))),
  );
  accepts.set(schema, (value) => {
    if (!isObject(value) || !isPlain(value)) return false;
    for (const name of Object.keys(value)) {
      const entry = Object.hasOwn(entries, name) ? entries[name] : undefined;
      if (entry === undefined) return false;
      if (value[name] !== undefined && accepts.get(entry)?.(value[name]) !== true) return false;
    }
    return required.every((name) => value[name] !== undefined);
  });
  return schema;
}

/** All that it has is its own: no getters of a class. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Something, or null for none. */
export function nullOr(other: v.GenericSchema) {
  const schema = v.nullish(other);
  accepts.set(schema, (value) => value === null || accepts.get(other)?.(value) === true);
  return schema;
}

/** A text, or something else. */
export function textOr(other: v.GenericSchema) {
  return v.lazy((input): v.GenericSchema => (typeof input === 'string' ? text : other));
}

/** True, false, or something else. */
export function flagOr(other: v.GenericSchema) {
  return v.lazy((input): v.GenericSchema => (typeof input === 'boolean' ? flag : other));
}

/**
 * Checks options.
 *
 * @param what the function that they were given to
 * @param schema made by {@link bag}
 * @param error makes the error from a message
 * @throws what `error` makes
 */
export function checkOptions(
  what: string,
  given: unknown,
  schema: v.GenericSchema,
  error: (message: string) => ZesterError,
): void {
  if (accepts.get(schema)?.(given) === true) return;
  const result = v.safeParse(schema, given, { abortEarly: true, abortPipeEarly: true });
  if (result.success) return;
  const [issue] = result.issues;
  // what is wrong with the whole has no path
  const where = v.getDotPath(issue);
  throw error(`the options of ${what}: ${where === null ? 'it' : where} ${issue.message}`);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function didYouMean(written: string, names: readonly string[]): string {
  const meant = closest(written, names);
  return meant === undefined ? '' : `; did you mean ${JSON.stringify(meant)}?`;
}

const MAX_SHOWN = 40;

function shown(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value.slice(0, MAX_SHOWN)) : `a ${typeof value}`;
}

// Validates the options of public functions at run time.

/**
 * Checks the options of public functions: types do not exist at run time, and a misspelled option or an unknown value
 * would be ignored. Values that need more than a type check (a time, a subject) are checked where they are used.
 */
import * as v from 'valibot';
import type { ZesterError } from '../errors.js';
import { quoted } from '../text/quoted.js';
import { closest } from '../text/closest.js';

/** A schema for each option. All are optional, and may be undefined. */
export type OptionEntries = Readonly<Record<string, v.GenericSchema>>;

/** Exactly one schema for each member of a type. */
export type Entries<Options> = Record<keyof Options, v.GenericSchema>;

export const text = v.string('must be a string');
export const flag = v.boolean('must be true or false');
/** Any number; the code that uses it checks for NaN and limits. */
export const number = v.custom<number>((value) => typeof value === 'number', 'must be a number');
export const numberOrNull = v.custom<number | null>(
  (value) => typeof value === 'number' || value === null,
  'must be a number, or null for none',
);
export const callback = v.custom<() => unknown>((value) => typeof value === 'function', 'must be a function');
/** An object with any members. */
export const object = v.custom<Record<string, unknown>>(isObject, 'must be an object');
/** Not validated: another library's object, a key, a type that is checked elsewhere. */
export const anything = v.unknown();

/**
 * Fast checks that accept most valid values at a tenth of the schema's cost, which matters for bulk issuance. A value
 * that a fast check does not accept may still be valid: the schema decides, and describes the problem.
 */
const fastChecks = new WeakMap<v.GenericSchema, (value: unknown) => boolean>([
  [text, (value) => typeof value === 'string'],
  [flag, (value) => typeof value === 'boolean'],
  [number, (value) => typeof value === 'number'],
  [callback, (value) => typeof value === 'function'],
  [object, isObject],
  [anything, () => true],
]);

/** One of the given words. */
export function oneOf(words: readonly string[]) {
  return v.picklist(words, ({ input }) => {
    const known = words.map((word) => JSON.stringify(word)).join(', ');
    const meant = typeof input === 'string' ? didYouMean(input, words) : '';
    return `is ${shown(input)}, and must be one of ${known}${meant}`;
  });
}

export function listOf(items: v.GenericSchema) {
  return v.array(items, 'must be a list');
}

/** The rules for an options object. */
export interface BagRules {
  /** Required options. */
  required?: readonly string[];
  /** Advice for names that belong elsewhere. */
  instead?: Readonly<Record<string, string>>;
}

/** An options object with these members and no others. */
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
  fastChecks.set(schema, (value) => {
    if (!isObject(value) || !isPlain(value)) return false;
    for (const name of Object.keys(value)) {
      const entry = Object.hasOwn(entries, name) ? entries[name] : undefined;
      if (entry === undefined) return false;
      if (value[name] !== undefined && fastChecks.get(entry)?.(value[name]) !== true) return false;
    }
    return required.every((name) => value[name] !== undefined);
  });
  return schema;
}

/** Whether an object is plain: no class instance, which may have getters. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** A value, or null for none. */
export function nullOr(other: v.GenericSchema) {
  const schema = v.nullish(other);
  fastChecks.set(schema, (value) => value === null || fastChecks.get(other)?.(value) === true);
  return schema;
}

/** A string, or a value of the other schema. */
export function textOr(other: v.GenericSchema) {
  return v.lazy((input): v.GenericSchema => (typeof input === 'string' ? text : other));
}

/** A boolean, or a value of the other schema. */
export function flagOr(other: v.GenericSchema) {
  return v.lazy((input): v.GenericSchema => (typeof input === 'boolean' ? flag : other));
}

/**
 * Checks options.
 *
 * @param what the name of the function that has the options
 * @param schema from {@link bag}
 * @param error creates the error
 * @throws the error that `error` returns
 */
export function checkOptions(
  what: string,
  given: unknown,
  schema: v.GenericSchema,
  error: (message: string) => ZesterError,
): void {
  if (fastChecks.get(schema)?.(given) === true) return;
  const result = v.safeParse(schema, given, { abortEarly: true, abortPipeEarly: true });
  if (result.success) return;
  const [issue] = result.issues;
  // an issue of the whole object has no path
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
  return typeof value === 'string' ? quoted(value, MAX_SHOWN) : `a ${typeof value}`;
}

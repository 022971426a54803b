// Small composable validators for claims.

/**
 * Checks a value and returns its parsed form. These functions replace a schema library, so that a program that only
 * loads credentials neither bundles nor loads one (docs/decisions/0009-claim-forms.md).
 *
 * @throws FormError
 */
export type Form<T = unknown> = (value: unknown) => T;

/** A claim is malformed. The message refers to the claim as "it", and does not repeat the value. */
export class FormError extends Error {
  /** The path to the value: names and positions, outermost first. */
  readonly path: (string | number)[] = [];
}

/** Runs a check on a part of a value, so that an error names the part. */
function within<T>(name: string | number, form: Form<T>, value: unknown): T {
  try {
    return form(value);
  } catch (error) {
    if (error instanceof FormError) error.path.unshift(name);
    throw error;
  }
}

function nameOf(value: unknown): string {
  if (value === undefined) return 'missing';
  if (value === null) return 'null';
  return Array.isArray(value) ? 'a list' : `of the type ${typeof value}`;
}

function expected(what: string, value: unknown): FormError {
  return new FormError(`it is ${nameOf(value)}, but must be ${what}`);
}

function ofType<T>(type: 'string' | 'boolean' | 'number'): Form<T> {
  return (value) => {
    if (typeof value !== type) throw expected(`a ${type}`, value);
    return value as T;
  };
}

export const text = ofType<string>('string');
export const flag = ofType<boolean>('boolean');
export const number = ofType<number>('number');

export const integer: Form<number> = (value) => {
  if (!Number.isInteger(number(value))) throw new FormError('it is not a whole number');
  return value as number;
};

/** A list whose items have the same form. */
export function listOf<T>(item: Form<T>): Form<T[]> {
  return (value) => {
    if (!Array.isArray(value)) throw expected('a list', value);
    return value.map((each, at) => within(at, item, each));
  };
}

type Members = Readonly<Record<string, unknown>>;

function members(value: unknown): Members {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw expected('an object', value);
  return value as Members;
}

/** Assigning this name would set the prototype of the object. */
const NO_NAME = '__proto__';

/** A map from any names to values of the same form. */
export function mapOf<T>(form: Form<T>): Form<Record<string, T>> {
  return (value) => {
    const result: Record<string, T> = {};
    for (const [name, each] of Object.entries(members(value))) {
      const checked = within(name, form, each);
      if (name !== NO_NAME) result[name] = checked;
    }
    return result;
  };
}

/** An object with members of these forms. Other members are kept. */
export function object(forms: Readonly<Record<string, Form>>): Form<Record<string, unknown>> {
  const known = Object.entries(forms);
  return (value) => {
    const given = members(value);
    const result: Record<string, unknown> = {};
    for (const [name, form] of known) {
      const isGiven = Object.hasOwn(given, name);
      const checked = within(name, form, isGiven ? given[name] : undefined);
      if (isGiven || checked !== undefined) result[name] = checked;
    }
    for (const name of Object.keys(given))
      if (!Object.hasOwn(forms, name) && name !== NO_NAME) result[name] = given[name];
    return result;
  };
}

/**
 * An optional form: Go reads null as "absent", and writes an empty list or map as null in some places.
 *
 * @param fallback the value if absent; undefined: none
 */
export function optional<T>(form: Form<T>, fallback?: T): Form<T | undefined> {
  return (value) => (value === undefined || value === null ? fallback : form(value));
}

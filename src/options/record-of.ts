// A schema of objects whose names come from outside.
import * as v from 'valibot';

/**
 * An object with any names, each with a value of one schema. `v.record` drops `constructor` and `prototype`, which are valid
 * names of peels and masters: a peel could choose a name that no command finds.
 *
 * @example v.parse(recordOf(v.number()), JSON.parse('{"constructor":7}')); // { constructor: 7 }
 */
export function recordOf<T>(value: v.GenericSchema<unknown, T>): v.GenericSchema<unknown, Record<string, T>> {
  return v.pipe(
    v.custom<object>(
      (input) => typeof input === 'object' && input !== null && !Array.isArray(input),
      'is no object',
    ),
    v.transform((input) => Object.entries(input) as unknown[]),
    v.array(v.tuple([v.string(), value])),
    // defines the names, so that even "__proto__" is one of them
    v.transform((entries) => Object.fromEntries(entries) as Record<string, T>),
  );
}

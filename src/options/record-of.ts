// A schema for records whose names are untrusted.
import * as v from 'valibot';
import { object } from './check-options.js';

/**
 * A record with arbitrary names. `v.record` drops `constructor` and `prototype`, which are valid names of peels and masters,
 * so a peel could hide by its name.
 *
 * @example v.parse(recordOf(v.number()), JSON.parse('{"constructor":7}')); // { constructor: 7 }
 */
export function recordOf<T>(value: v.GenericSchema<unknown, T>): v.GenericSchema<unknown, Record<string, T>> {
  return v.pipe(
    object,
    v.transform((input) => Object.entries(input)),
    v.array(v.tuple([v.string(), value])),
    // defines members, so that even "__proto__" is one
    v.transform((entries) => Object.fromEntries(entries) as Record<string, T>),
  );
}

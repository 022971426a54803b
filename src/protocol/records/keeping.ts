// A schema that keeps the fields it does not know.
import * as v from 'valibot';

/**
 * An object whose unknown fields are kept: those of a newer version, in what masters read, change and write back. Its type
 * names the known ones only.
 */
export function keeping<E extends v.ObjectEntries>(entries: E): v.ObjectSchema<E, undefined> {
  return v.looseObject(entries) as unknown as v.ObjectSchema<E, undefined>;
}

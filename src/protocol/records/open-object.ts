// An object schema that keeps unknown fields.
import * as v from 'valibot';

/**
 * An object whose unknown fields are kept, so that masters that read, change and write it back keep the fields of a
 * newer version. Its type has only the known fields.
 */
export function openObject<E extends v.ObjectEntries>(entries: E): v.ObjectSchema<E, undefined> {
  return v.looseObject(entries) as unknown as v.ObjectSchema<E, undefined>;
}

// Reads a member of parsed JSON that was not validated.

/** The member of an object with this name; undefined: it has none, or the value is no object. */
export function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Record<string, unknown>)[name];
}

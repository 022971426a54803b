// Copies an object without some of its properties.

/** The same object without some of its properties. */
export function omit<T extends object, K extends keyof T>(object: T, ...keys: K[]): Omit<T, K> {
  const left = new Set<string>(keys as string[]);
  return Object.fromEntries(Object.entries(object).filter(([key]) => !left.has(key))) as Omit<T, K>;
}

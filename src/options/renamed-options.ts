// Accepts options under their former names, and omits undefined options.
import type { ZesterError } from '../errors.js';

/** The current names of renamed options, and their former names. */
export type Renamed = Readonly<Record<string, string>>;

/**
 * Returns options under their current names.
 *
 * @throws the error that `error` returns, for an option that is given under both names
 */
export function withCurrentNames<Options extends object>(
  given: Options,
  renamed: Renamed,
  error: (message: string) => ZesterError,
): Options {
  const options = { ...given } as Options & Record<string, unknown>;
  for (const [current, former] of Object.entries(renamed)) {
    const value = options[former];
    Reflect.deleteProperty(options, former);
    if (value === undefined) continue;
    if (options[current] !== undefined)
      throw error(`${current} and ${former} are the same option: give ${current} only`);
    Object.assign(options, { [current]: value });
  }
  return options;
}

/** Omits undefined options, which would override the client's defaults. */
export function omitUndefined<T extends object>(
  options: T,
): { [Name in keyof T]?: Exclude<T[Name], undefined> } {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [Name in keyof T]?: Exclude<T[Name], undefined> };
}

// Options by their present names, without those that are undefined.
import type { ZesterError } from '../errors.js';

/** The present name of an option, and what it was called before. */
export type Renamed = Readonly<Record<string, string>>;

/**
 * Gives options by their present names.
 *
 * @throws what `error` makes, for an option that is given under both of its names
 */
export function byPresentNames<Options extends object>(
  given: Options,
  renamed: Renamed,
  error: (message: string) => ZesterError,
): Options {
  const options = { ...given } as Options & Record<string, unknown>;
  for (const [present, before] of Object.entries(renamed)) {
    const value = options[before];
    Reflect.deleteProperty(options, before);
    if (value === undefined) continue;
    if (options[present] !== undefined)
      throw error(`${present} and ${before} are the same option: give ${present} only`);
    Object.assign(options, { [present]: value });
  }
  return options;
}

/** The options without those that are undefined, which would take the place of the client's defaults. */
export function defined<T extends object>(options: T): { [Name in keyof T]?: Exclude<T[Name], undefined> } {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [Name in keyof T]?: Exclude<T[Name], undefined> };
}

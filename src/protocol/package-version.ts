// The version of this package.

/** As in package.json, which is not available in a bundled program. A test compares the two. */
export const VERSION = '0.1.0';

/** The version in package.json. */
export function packageVersion(): string {
  return VERSION;
}

// The version of this package.

/** As in package.json, which is not at hand in a program that was bundled. A test compares the two. */
export const VERSION = '0.1.0';

/** The version in package.json. */
export function packageVersion(): string {
  return VERSION;
}

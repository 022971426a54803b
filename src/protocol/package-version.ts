// The version of this package.

/** The version in package.json, which a bundled program cannot read. A test compares the two. */
export const VERSION = '0.1.0';

export function packageVersion(): string {
  return VERSION;
}

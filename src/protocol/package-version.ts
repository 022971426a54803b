// The version of this package.
import { readFileSync } from 'node:fs';

let version: string | undefined;

/** The version in package.json, which stands two folders above this file in the sources and in the package. */
export function packageVersion(): string {
  if (version === undefined) {
    const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
    version = (JSON.parse(text) as { version: string }).version;
  }
  return version;
}

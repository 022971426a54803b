// Warns of a secret file that others can read.
import { statSync, type Stats } from 'node:fs';

/** The warning for a seed file that others can read or write; undefined if they cannot. */
export function exposedMode(path: string): string | undefined {
  const found = statOf(path);
  if (found === undefined || !found.isFile() || (found.mode & 0o077) === 0) return undefined;
  const mode = (found.mode & 0o777).toString(8).padStart(4, '0');
  return `${path} has mode ${mode}, so other users can read its seed: chmod 600 it, and issue a new credential if they may have read it`;
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

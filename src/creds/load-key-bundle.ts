// Reads a key from a plain or decorated seed file.
import { KeyError } from '../errors.js';
import { pathOf } from '../files/path-of.js';
import { readSmallFile } from '../files/read-small-file.js';
import { loadKeyBundle, type KeyBundle } from '../nkeys/key-bundle.js';
import type { Role } from '../nkeys/roles.js';
import { looksLike, withoutByteOrderMark } from './looks-like.js';
import { MAX_CREDS_BYTES } from './decode-creds.js';

/**
 * Loads a key from a file with a plain seed, from a `.creds` file, or from another file with one decorated seed.
 * Skips lines without a seed.
 *
 * @param given the file's path, or its `file:` URL
 * @throws KeyError `ERR_KEY_FILE` when the file contains no seed or more than one, and as `loadKeyBundle`; FileError
 * @example
 * import { loadKeyBundleFromFile } from 'zester';
 *
 * const account = await loadKeyBundleFromFile('account', 'account.seed');
 * console.log(account.publicKey); // A…
 * account.wipe();
 */
export async function loadKeyBundleFromFile(role: Role, given: string | URL): Promise<KeyBundle> {
  const path = pathOf(given);
  return keyBundleIn(role, path, await readSmallFile(path, MAX_CREDS_BYTES));
}

/**
 * Parses the key in a file's content, and wipes the content.
 *
 * @throws KeyError as {@link loadKeyBundleFromFile}
 * @internal
 */
export function keyBundleIn(role: Role, path: string, content: Uint8Array): KeyBundle {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  const text = withoutByteOrderMark(bytes.toString('latin1'));
  content.fill(0);
  if (text.length > MAX_CREDS_BYTES)
    throw new KeyError('ERR_KEY_FILE', `${path} is too large to be a file with a seed`);
  const lines = text.split(/\r\n|\n|\r/).map((line) => line.trim());
  const seeds = lines.filter((line) => /^S[A-Z2-7]{40,80}$/.test(line));
  const [seed] = seeds;
  if (seeds.length > 1)
    throw new KeyError('ERR_KEY_FILE', `${path} contains more than one seed: keep one per file`);
  if (seed === undefined) {
    const only = lines.filter((line) => line !== '');
    if (only.length === 1 && /^[A-Z][A-Z2-7]{55}$/.test(only[0] ?? ''))
      return inFile(path, () => loadKeyBundle(role, only[0] ?? ''));
    throw new KeyError(
      'ERR_KEY_FILE',
      `${path} contains no seed${lookOf(text)}: give a file with a seed (S…) or a .creds file`,
    );
  }
  return inFile(path, () => loadKeyBundle(role, seed));
}

function lookOf(text: string): string {
  const look = looksLike(text);
  return look === undefined ? '' : ` (${look})`;
}

function inFile(path: string, load: () => KeyBundle): KeyBundle {
  try {
    return load();
  } catch (cause) {
    if (!(cause instanceof KeyError)) throw cause;
    throw new KeyError(cause.code, `${path}: ${cause.message}`, { cause });
  }
}

// Keeps the key of a joining peel on disk until it has a JWT.
import { unlink } from 'node:fs/promises';
import { keyBundleIn } from '../creds/load-key-bundle.js';
import { FileError } from '../errors.js';
import { requirePrivateFile } from '../files/open-file.js';
import { readSmallFile } from '../files/read-small-file.js';
import { generateKeyBundle, type KeyBundle } from '../nkeys/key-bundle.js';

const MAX_KEY_BYTES = 1_024;

/**
 * The key of a joining peel, on disk (0600) next to its future `.creds` file until it has a JWT: an interrupted join
 * resumes with the key whose fingerprint was shown.
 */
export class PendingKey {
  readonly key: KeyBundle;
  readonly path: string;
  /** The key existed already. */
  readonly resumed: boolean;

  private constructor(key: KeyBundle, path: string, resumed: boolean) {
    this.key = key;
    this.path = path;
    this.resumed = resumed;
  }

  /**
   * Loads the key, or makes one. Refuses a key that another user may have put there: that user would know the peel's
   * seed.
   *
   * @param out the `.creds` file
   * @throws KeyError, FileError
   */
  static async open(out: string): Promise<PendingKey> {
    const path = `${out}.pending`;
    try {
      return new PendingKey(
        keyBundleIn('user', path, await readSmallFile(path, MAX_KEY_BYTES, { check: requirePrivateFile })),
        path,
        true,
      );
    } catch (error) {
      if (!(error instanceof FileError && error.code === 'ERR_FILE_NOT_FOUND')) throw error;
    }
    const key = generateKeyBundle('user');
    await key.saveSeedToFile(path);
    return new PendingKey(key, path, false);
  }

  /** Removes the key: it has its JWT, or will never get one. */
  async remove(): Promise<void> {
    await unlink(this.path).catch(() => undefined);
  }
}

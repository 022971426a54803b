// Keeps copies of replaced account JWTs.
import { readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { writeSecretFile } from '../../files/write-secret-file.js';
import { decodeAccountJwt } from '../../jwt/decode.js';
import { accountId } from './account-history.js';
import type { TrustPaths } from '../paths.js';
import { ensurePrivateDirectory } from '../private-files.js';

/** The number of copies to keep. */
const MAX_COPIES = 20;

/**
 * Keeps copies of account JWTs that are about to be replaced, for reference: the last {@link MAX_COPIES}, mode 0600, in
 * `jwt/replaced/`, by issue time.
 *
 * @throws FileError, TrustError; the caller must then replace nothing
 */
export async function keepReplaced(
  { replacedJwtDirectory: directory }: Pick<TrustPaths, 'replacedJwtDirectory'>,
  jwts: readonly string[],
): Promise<void> {
  if (jwts.length === 0) return;
  await ensurePrivateDirectory(directory);
  for (const jwt of new Set(jwts)) {
    const claims = decodeAccountJwt(jwt);
    const name = `account-${String(claims.iat).padStart(12, '0')}-${accountId(claims) ?? 'without-id'}.jwt`;
    await writeSecretFile(join(directory, name), Buffer.from(`${jwt}\n`));
  }
  const names = (await readdir(directory)).filter((name) => /^account-\d+-.+\.jwt$/.test(name)).sort();
  for (const name of names.slice(0, Math.max(0, names.length - MAX_COPIES))) {
    await unlink(join(directory, name)).catch(() => undefined);
  }
}

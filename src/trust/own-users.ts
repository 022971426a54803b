// The public keys of the users with which a home's master connects.
import { loadCredsFile } from '../creds/parse.js';
import type { TrustPaths } from './paths.js';
import { pathExists } from './private-files.js';

/**
 * The users of `master.creds`, `master-answers.creds`, `system.creds` and, if present, `admin.creds`, in this order:
 * all users to revoke if the host is stolen.
 *
 * @throws CredsError, FileError
 */
export async function ownUsers(paths: TrustPaths): Promise<string[]> {
  const users: string[] = [];
  for (const path of [paths.masterCreds, paths.masterAnswersCreds, paths.systemCreds, paths.adminCreds]) {
    if (!pathExists(path)) continue;
    const creds = await loadCredsFile(path);
    creds.wipe();
    users.push(creds.publicKey);
  }
  return users;
}

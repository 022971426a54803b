// Issues a peel's credentials and writes its .creds file.
import { refuseExisting, writeSecretFile } from '../files/write-secret-file.js';
import { createUserJwt } from '../jwt/user.js';
import { generateKeyBundle, type KeyBundle } from '../nkeys/key-bundle.js';
import { jwtOptionsError } from '../jwt/options-error.js';
import { bag, checkOptions, flag, text, type Entries } from '../options/check-options.js';
import { peelUserJwtOptions, ROLE_ENTRIES, type RoleUserJwtOptions } from '../permissions/roles.js';
import { formatCreds } from './format.js';

/** What can be chosen about a peel's new credentials. */
export interface BootstrapPeelOptions extends RoleUserJwtOptions {
  /** The account (`A…`), when the key given is a signing key of it and not the account's own. */
  issuerAccount?: string | undefined;
  /**
   * Write only where nothing stands at `path` (default false): of several at the same time, in whatever process, exactly one
   * succeeds, and the others get FileError `ERR_FILE_EXISTS`.
   */
  ifAbsent?: boolean | undefined;
}

const BOOTSTRAP = bag({
  ...ROLE_ENTRIES,
  issuerAccount: text,
  ifAbsent: flag,
} satisfies Entries<BootstrapPeelOptions>);

/**
 * Makes a complete set of credentials for a peel in one step: a new user key, a user JWT with `peelUserJwtOptions`
 * (bounded to the peel's subjects), and the `.creds` file at `path`, mode 0600.
 *
 * @param account the account's key, or a signing key of it (then `options.issuerAccount` is needed); it signs the JWT
 * @param peelId one NATS token
 * @param path the file to write; what is there is replaced in one step
 * @returns the new key, whose seed is in the file, and the JWT
 * @throws PeelIdError, KeyError, JwtError; FileError when the file cannot be written, and then nothing is;
 *   its code is `ERR_FILE_EXISTS` with `ifAbsent` when something stands there
 * @example
 * const { user } = await bootstrapPeelCreds(account, 'web-server-01', '/etc/zester/web-server-01.creds', {
 *   expiry: 86_400,
 *   ifAbsent: true,
 * });
 */
export async function bootstrapPeelCreds(
  account: KeyBundle,
  peelId: string,
  path: string,
  options: BootstrapPeelOptions = {},
): Promise<{ user: KeyBundle; jwt: string }> {
  checkOptions('bootstrapPeelCreds', options, BOOTSTRAP, jwtOptionsError);
  const { issuerAccount, ifAbsent, ...rest } = options;
  const jwtOptions = peelUserJwtOptions(peelId, issuerAccount ?? account.publicKey, rest);
  if (ifAbsent === true) await refuseExisting(path); // before a key is made that nobody gets
  const user = generateKeyBundle('user');
  const jwt = createUserJwt(user, account, jwtOptions);
  const seed = user.seed;
  const content = formatCreds(jwt, seed);
  try {
    await writeSecretFile(path, content, { ifAbsent });
  } finally {
    content.fill(0);
    seed.fill(0);
  }
  return { user, jwt };
}

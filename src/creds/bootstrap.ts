// Issues a peel's credentials and writes its .creds file.
import { pathOf } from '../files/path-of.js';
import { refuseExisting, writeSecretFile } from '../files/write-secret-file.js';
import { createUserJwt } from '../jwt/user.js';
import { generateKeyBundle, KeyBundle } from '../nkeys/key-bundle.js';
import { jwtOptionsError } from '../jwt/options-error.js';
import { anything, bag, checkOptions, flag, text, type Entries } from '../options/check-options.js';
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

/** {@link BootstrapPeelOptions}, and what {@link bootstrapPeelCreds} otherwise takes one after the other. */
export interface BootstrapPeel extends BootstrapPeelOptions {
  /** The account's key, or a signing key of it (then `issuerAccount` is needed); it signs the JWT. */
  account: KeyBundle;
  /** One NATS token. */
  peelId: string;
  /** The file to write, as a path or a `file:` URL; what is there is replaced in one step. */
  path: string | URL;
}

const ENTRIES = {
  ...ROLE_ENTRIES,
  issuerAccount: text,
  ifAbsent: flag,
} satisfies Entries<BootstrapPeelOptions>;
const BOOTSTRAP = bag(ENTRIES);
const BOOTSTRAP_PEEL = bag(
  { ...ENTRIES, account: anything, peelId: anything, path: anything } satisfies Entries<BootstrapPeel>,
  { required: ['account', 'peelId', 'path'] },
);

/** What {@link bootstrapPeelCreds} has made. */
export interface BootstrappedPeel {
  /** The new key, whose seed is in the file. */
  user: KeyBundle;
  /** The user JWT, which is also in the file. */
  jwt: string;
  /** Wipes the key. */
  [Symbol.dispose](): void;
}

/**
 * Makes a complete set of credentials for a peel in one step: a new user key, a user JWT with `peelUserJwtOptions`
 * (bounded to the peel's subjects), and the `.creds` file at `path`, mode 0600.
 *
 * @param account the account's key, or a signing key of it (then `options.issuerAccount` is needed); it signs the JWT
 * @param peelId one NATS token
 * @param path the file to write; what is there is replaced in one step
 * @returns the new key, whose seed is in the file, and the JWT
 * @throws PeelIdError, KeyError, JwtError; FileError when the file cannot be written, and then nothing is;
 *   its code is `ERR_FILE_EXISTS` with `ifAbsent` if the path exists
 * @example
 * import { bootstrapPeelCreds, loadKeyBundleFromFile } from 'zester';
 *
 * const account = await loadKeyBundleFromFile('account', 'account.seed');
 * const { user } = await bootstrapPeelCreds(account, 'web-05', 'web-05.creds', {
 *   expirySeconds: 86_400,
 *   ifAbsent: true,
 * });
 * console.log(user.publicKey); // U…
 * user.wipe();
 * account.wipe();
 */
export function bootstrapPeelCreds(
  account: KeyBundle,
  peelId: string,
  path: string | URL,
  options?: BootstrapPeelOptions,
): Promise<BootstrappedPeel>;
/** The same, with names. */
export function bootstrapPeelCreds(options: BootstrapPeel): Promise<BootstrappedPeel>;
export async function bootstrapPeelCreds(
  first: KeyBundle | BootstrapPeel,
  peelId = '',
  path: string | URL = '',
  options: BootstrapPeelOptions = {},
): Promise<BootstrappedPeel> {
  if (first instanceof KeyBundle) {
    checkOptions('bootstrapPeelCreds', options, BOOTSTRAP, jwtOptionsError);
    return bootstrap({ ...options, account: first, peelId, path });
  }
  checkOptions('bootstrapPeelCreds', first, BOOTSTRAP_PEEL, jwtOptionsError);
  return bootstrap(first);
}

async function bootstrap(options: BootstrapPeel): Promise<BootstrappedPeel> {
  const { account, peelId, path: given, issuerAccount, ifAbsent, ...rest } = options;
  const path = pathOf(given);
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
  return { user, jwt, [Symbol.dispose]: () => user.wipe() };
}

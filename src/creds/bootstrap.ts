// Issues a peel's credentials and writes its .creds file.
import { pathOf } from '../files/path-of.js';
import { refuseExisting, writeSecretFile } from '../files/write-secret-file.js';
import { createUserJwt } from '../jwt/user.js';
import { generateKeyBundle, KeyBundle } from '../nkeys/key-bundle.js';
import { jwtOptionsError } from '../jwt/options-error.js';
import { anything, bag, checkOptions, flag, text, type Entries } from '../options/check-options.js';
import { peelUserJwtOptions, ROLE_ENTRIES, type RoleUserJwtOptions } from '../permissions/roles.js';
import { formatCreds } from './format.js';

/** The options of a peel's new credentials. */
export interface BootstrapPeelOptions extends RoleUserJwtOptions {
  /** The account (`A…`), if the given key is one of its signing keys, not its own key. */
  issuerAccount?: string | undefined;
  /**
   * Write only if nothing exists at `path` (default false): of several concurrent writers, in any process, exactly
   * one succeeds, and the others get FileError `ERR_FILE_EXISTS`.
   */
  ifAbsent?: boolean | undefined;
}

/** {@link BootstrapPeelOptions} plus the positional arguments of {@link bootstrapPeelCreds}. */
export interface BootstrapPeel extends BootstrapPeelOptions {
  /** The account's key, or one of its signing keys (then `issuerAccount` is required); it signs the JWT. */
  account: KeyBundle;
  /** One NATS token. */
  peelId: string;
  /** The file to write, as a path or a `file:` URL; an existing file is replaced atomically. */
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

/** The result of {@link bootstrapPeelCreds}. */
export interface BootstrappedPeel {
  /** The new key; its seed is in the file. */
  user: KeyBundle;
  /** The user JWT, which is also in the file. */
  jwt: string;
  /** Wipes the key. */
  [Symbol.dispose](): void;
}

/**
 * Creates complete credentials for a peel in one step: a new user key, a user JWT with `peelUserJwtOptions`
 * (restricted to the peel's subjects), and the `.creds` file at `path`, mode 0600.
 *
 * @param account the account's key, or one of its signing keys (then `options.issuerAccount` is required); it signs the
 *   JWT
 * @param peelId one NATS token
 * @param path the file to write; an existing file is replaced atomically
 * @returns the new key, whose seed is in the file, and the JWT
 * @throws PeelIdError, KeyError, JwtError; FileError when the file cannot be written, in which case nothing is written;
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
/** The same, with an options object. */
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
  if (ifAbsent === true) await refuseExisting(path); // before a key is generated for nothing
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

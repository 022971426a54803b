// TrustDomain: an open home, with its JWTs, keys and credentials.
import { showServerUrls } from '../connection/server-urls.js';
import { writeCredsFile } from '../creds/generate.js';
import { loadKeyBundleFromFile } from '../creds/load-key-bundle.js';
import { redactSeeds, TrustError } from '../errors.js';
import type { AccountClaims } from '../jwt/claims.js';
import { refuseExisting } from '../files/write-secret-file.js';
import { decodeAccountJwt } from '../jwt/decode.js';
import { createUserJwt } from '../jwt/user.js';
import { generateKeyBundle, type KeyBundle } from '../nkeys/key-bundle.js';
import type { Role } from '../nkeys/roles.js';
import { FIRST_MASTER } from '../permissions/master-label.js';
import { peelUserJwtOptions, type RoleUserJwtOptions } from '../permissions/roles.js';
import { recordIssued } from './issued.js';
import { readyToIssue } from './ready-to-issue.js';
import type { TrustPaths } from './paths.js';
import { checkSecretFile } from './private-files.js';
import type { TrustSettings } from './settings.js';
import { signingSeedPath } from './keys/signing-seed.js';
import { homeTls, type TlsFiles } from './tls-settings.js';

/** The JWTs of a trust domain, as on disk. */
export interface TrustJwts {
  operatorJwt: string;
  systemAccountJwt: string;
  accountJwt: string;
  /** The account JWT's claims, if already decoded. */
  accountClaims?: AccountClaims;
}

/**
 * An operator, its system account and the account of a fleet, on disk. It holds no secret itself: keys are loaded on
 * demand, and the caller must wipe them.
 */
export class TrustDomain {
  readonly paths: TrustPaths;
  readonly names: Readonly<{ operator: string; systemAccount: string; account: string }>;
  readonly publicKeys: Readonly<{
    operator: string;
    operatorSigning: string;
    systemAccount: string;
    account: string;
    peelSigning: string;
    /** undefined: the home predates join tokens. */
    joinSigning: string | undefined;
  }>;
  /** The name of this home's master. */
  readonly masterName: string;
  /** The URLs of the fleet's servers; empty if the home has none. */
  readonly servers: readonly string[];
  /** The TLS files; undefined if the home has none. */
  readonly tls: TlsFiles | undefined;
  /** Whether plain connections are refused, except to this machine. */
  readonly requireTls: boolean;
  readonly operatorJwt: string;
  readonly systemAccountJwt: string;
  readonly accountJwt: string;
  #accountClaims: AccountClaims | undefined;
  /** Written back completely. Private, since URLs that were edited by hand must never be printed. */
  readonly #settings: Readonly<TrustSettings>;

  /** @internal Use `createTrustDomain` or `openTrustDomain`. */
  constructor(paths: TrustPaths, settings: TrustSettings, jwts: TrustJwts) {
    const { operator, systemAccount, account } = settings;
    this.paths = paths;
    this.#settings = settings;
    this.names = { operator: operator.name, systemAccount: systemAccount.name, account: account.name };
    this.publicKeys = {
      operator: operator.publicKey,
      operatorSigning: operator.signingKey,
      systemAccount: systemAccount.publicKey,
      account: account.publicKey,
      peelSigning: account.peelSigningKey,
      joinSigning: account.joinSigningKey,
    };
    this.masterName = settings.master?.name ?? FIRST_MASTER;
    // a URL that was edited by hand may contain a password: it is refused on use, and must not be shown here
    this.servers = showServerUrls(settings.servers ?? []).map(redactSeeds);
    this.tls = settings.tls && homeTls(paths.home, settings.tls);
    this.requireTls = settings.requireTls ?? false;
    this.operatorJwt = jwts.operatorJwt;
    this.systemAccountJwt = jwts.systemAccountJwt;
    this.accountJwt = jwts.accountJwt;
    this.#accountClaims = jwts.accountClaims;
  }

  /** The content of `zester.json`. */
  get settings(): Readonly<TrustSettings> {
    return this.#settings;
  }

  /** The account JWT's claims: do not modify. */
  get accountClaims(): AccountClaims {
    return (this.#accountClaims ??= decodeAccountJwt(this.accountJwt));
  }

  get home(): string {
    return this.paths.home;
  }

  /** The same domain, with another signing key of the operator. */
  withOperatorSigningKey(publicKey: string): TrustDomain {
    const operator = { ...this.settings.operator, signingKey: publicKey };
    return new TrustDomain(this.paths, { ...this.settings, operator }, this);
  }

  /** The operator's identity key; may be offline. @throws as {@link peelSigner} */
  operatorKey(): Promise<KeyBundle> {
    return this.#key('operator', this.paths.operatorSeed, this.publicKeys.operator);
  }

  /** The operator's signing key, which signs account JWTs. @throws as {@link peelSigner} */
  async operatorSigningKey(): Promise<KeyBundle> {
    const publicKey = this.publicKeys.operatorSigning;
    const path = signingSeedPath(this.paths, 'operator-signing', publicKey);
    return this.#key('operator', path, publicKey);
  }

  /** The account's identity key, which signs masters and admins; may be offline. @throws as {@link peelSigner} */
  accountKey(): Promise<KeyBundle> {
    return this.#key('account', this.paths.accountSeed, this.publicKeys.account);
  }

  /**
   * The account's scoped signing key, which signs peels.
   *
   * @throws TrustError `ERR_TRUST_KEY_OFFLINE`, `ERR_TRUST_KEY_MISMATCH`, `ERR_TRUST_SECRET_EXPOSED`; KeyError,
   *   FileError
   */
  async peelSigner(): Promise<KeyBundle> {
    const publicKey = this.publicKeys.peelSigning;
    return this.#key('account', signingSeedPath(this.paths, 'peel-signing', publicKey), publicKey);
  }

  /**
   * The account's scoped signing key for join tokens, which works while the identities are offline.
   *
   * @throws as {@link peelSigner}; `ERR_TRUST_KEY_OFFLINE` also when the home predates join tokens
   */
  async joinSigner(): Promise<KeyBundle> {
    const publicKey = this.publicKeys.joinSigning;
    if (publicKey === undefined) {
      throw new TrustError(
        'ERR_TRUST_KEY_OFFLINE',
        this.home,
        `the trust domain in ${this.home} has no signing key for join tokens: run "zester keys add join-signing"`,
      );
    }
    return this.#key('account', signingSeedPath(this.paths, 'join-signing', publicKey), publicKey);
  }

  /**
   * Issues credentials for a peel: scoped, so its permissions are in the account JWT. Its public key is recorded in
   * the home before the file is written, so the peel can be revoked by ID even if the file is lost.
   *
   * @param path the `.creds` file to write; an existing file is replaced, unless `options.ifAbsent` is set
   * @throws PeelIdError, FileError, and as {@link peelSigner}; TrustError `ERR_TRUST_SIGNING_KEY` when the account of
   *   the home does not have the signing key
   */
  async issuePeel(
    peelId: string,
    path: string,
    options: Omit<RoleUserJwtOptions, 'scoped' | 'permissions'> & { ifAbsent?: boolean | undefined } = {},
  ): Promise<{ user: KeyBundle; jwt: string }> {
    const { ifAbsent, ...jwtOptions } = options;
    const account = this.publicKeys.account;
    const now = readyToIssue(this, options.now);
    if (ifAbsent === true) await refuseExisting(path);
    const signer = await this.peelSigner();
    try {
      const user = generateKeyBundle('user');
      const jwt = createUserJwt(
        user,
        signer,
        peelUserJwtOptions(peelId, account, { ...jwtOptions, now, scoped: true }),
      );
      await recordIssued(this.paths.issued, jwt);
      const seed = user.seed;
      try {
        await writeCredsFile(path, jwt, seed, { ifAbsent });
      } finally {
        seed.fill(0);
      }
      return { user, jwt };
    } finally {
      signer.wipe();
    }
  }

  async #key(role: Role, path: string, publicKey: string): Promise<KeyBundle> {
    if (!checkSecretFile(path)) {
      throw new TrustError(
        'ERR_TRUST_KEY_OFFLINE',
        path,
        `the seed of ${publicKey} is required, but missing at ${path}: put it there while this command runs`,
      );
    }
    const key = await loadKeyBundleFromFile(role, path);
    if (key.publicKey !== publicKey) {
      key.wipe();
      throw new TrustError(
        'ERR_TRUST_KEY_MISMATCH',
        path,
        `${path} contains the seed of ${key.publicKey}, but this trust domain's key is ${publicKey}: put the right seed there`,
      );
    }
    return key;
  }
}

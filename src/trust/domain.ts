import { bootstrapPeelCreds } from '../creds/bootstrap.js';
import { loadKeyBundleFromFile } from '../creds/load-key-bundle.js';
import { TrustError } from '../errors.js';
import type { KeyBundle } from '../nkeys/key-bundle.js';
import type { Role } from '../nkeys/roles.js';
import type { RoleUserJwtOptions } from '../permissions/roles.js';
import type { TrustPaths } from './paths.js';
import { checkSecretFile } from './private-files.js';
import type { TrustSettings } from './settings.js';

/** The JWTs of a trust domain, as they stand on disk. */
export interface TrustJwts {
  operatorJwt: string;
  systemAccountJwt: string;
  accountJwt: string;
}

/**
 * An operator, its system account and the account of a fleet, on disk. Holds no secret itself: keys are loaded when asked
 * for, and are the caller's to wipe.
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
  }>;
  /** The URLs of the fleet's servers; empty when the home names none. */
  readonly servers: readonly string[];
  readonly operatorJwt: string;
  readonly systemAccountJwt: string;
  readonly accountJwt: string;

  /** @internal Use `createTrustDomain` or `openTrustDomain`. */
  constructor(paths: TrustPaths, settings: TrustSettings, jwts: TrustJwts) {
    const { operator, systemAccount, account } = settings;
    this.paths = paths;
    this.names = { operator: operator.name, systemAccount: systemAccount.name, account: account.name };
    this.publicKeys = {
      operator: operator.publicKey,
      operatorSigning: operator.signingKey,
      systemAccount: systemAccount.publicKey,
      account: account.publicKey,
      peelSigning: account.peelSigningKey,
    };
    this.servers = settings.servers ?? [];
    this.operatorJwt = jwts.operatorJwt;
    this.systemAccountJwt = jwts.systemAccountJwt;
    this.accountJwt = jwts.accountJwt;
  }

  get home(): string {
    return this.paths.home;
  }

  /** The operator's identity key; may be offline. @throws as {@link peelSigner} */
  operatorKey(): Promise<KeyBundle> {
    return this.#key('operator', this.paths.operatorSeed, this.publicKeys.operator);
  }

  /** The operator's signing key, which signs account JWTs. @throws as {@link peelSigner} */
  operatorSigningKey(): Promise<KeyBundle> {
    return this.#key('operator', this.paths.operatorSigningSeed, this.publicKeys.operatorSigning);
  }

  /** The account's identity key, which signs masters and admins; may be offline. @throws as {@link peelSigner} */
  accountKey(): Promise<KeyBundle> {
    return this.#key('account', this.paths.accountSeed, this.publicKeys.account);
  }

  /**
   * The account's scoped signing key, which signs peels.
   *
   * @throws TrustError `ERR_TRUST_KEY_OFFLINE`, `ERR_TRUST_KEY_MISMATCH`, `ERR_TRUST_SECRET_EXPOSED`; KeyError, FileError
   */
  peelSigner(): Promise<KeyBundle> {
    return this.#key('account', this.paths.peelSigningSeed, this.publicKeys.peelSigning);
  }

  /**
   * Issues credentials for a peel: scoped, so that what it may do stands in the account JWT.
   *
   * @param path the `.creds` file to write; what is there is replaced
   * @throws PeelIdError, FileError, and as {@link peelSigner}
   */
  async issuePeel(
    peelId: string,
    path: string,
    options: Omit<RoleUserJwtOptions, 'scoped' | 'permissions'> = {},
  ): Promise<{ user: KeyBundle; jwt: string }> {
    const signer = await this.peelSigner();
    try {
      return await bootstrapPeelCreds(signer, peelId, path, {
        ...options,
        scoped: true,
        issuerAccount: this.publicKeys.account,
      });
    } finally {
      signer.wipe();
    }
  }

  async #key(role: Role, path: string, publicKey: string): Promise<KeyBundle> {
    if (!(await checkSecretFile(path))) {
      throw new TrustError(
        'ERR_TRUST_KEY_OFFLINE',
        path,
        `the seed of ${publicKey} is needed and is not at ${path}: put it back there for the time of this command`,
      );
    }
    const key = await loadKeyBundleFromFile(role, path);
    if (key.publicKey !== publicKey) {
      key.wipe();
      throw new TrustError(
        'ERR_TRUST_KEY_MISMATCH',
        path,
        `${path} holds the seed of ${key.publicKey}, and this trust domain's is ${publicKey}: put the right one there`,
      );
    }
    return key;
  }
}

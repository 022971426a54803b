// The options of issuing in bulk.
import type { KeyBundle } from '../nkeys/key-bundle.js';
import { peelUserJwtOptions, type RoleUserJwtOptions } from '../permissions/roles.js';
import type { UserJwtOptions } from '../jwt/user.js';

/** How credentials are issued in bulk; but for the signer as `bootstrapPeelCreds`. */
export interface IssuePeelOptions extends RoleUserJwtOptions {
  /** The account's key, or a signing key of it (then `issuerAccount` is needed). It stays the caller's to wipe. */
  signer: KeyBundle;
  /** The account (`A…`), when the signer is a signing key of it and not the account's own. */
  issuerAccount?: string | undefined;
  /**
   * Threads that make keys and signatures; one for each core by default, 0 for none but the caller's own. The first two
   * hundred ids are always made in the caller's, since a thread costs more to start. In a program that was bundled there is no
   * file that a thread could start with, and all are made in the caller's.
   */
  workers?: number | undefined;
  /** Ends the issuing, with its reason, before the next credential. */
  signal?: AbortSignal | undefined;
}

/** The part of the options that goes to another thread: no key, no function. */
export interface IssuePlan extends Omit<RoleUserJwtOptions, 'now'> {
  /** The account (`A…`). */
  account: string;
}

/** The plan that options stand for. */
export function planOf(options: IssuePeelOptions): IssuePlan {
  const { signer, issuerAccount, expirySeconds, expiry, notBefore, tags, scoped, permissions, limits } =
    options;
  // named one by one: whatever else a caller's object has may not go to another thread
  return {
    account: issuerAccount ?? signer.publicKey,
    ...(expirySeconds !== undefined && { expirySeconds }),
    ...(expiry !== undefined && { expiry }),
    ...(notBefore !== undefined && { notBefore }),
    ...(tags !== undefined && { tags }),
    ...(scoped !== undefined && { scoped }),
    ...(permissions !== undefined && { permissions }),
    ...(limits !== undefined && { limits }),
  };
}

/** The options of one peel's JWT. @throws PeelIdError, KeyError */
export function jwtOptionsOf(plan: IssuePlan, peelId: string, nowMs: number): UserJwtOptions {
  const { account, ...rest } = plan;
  return peelUserJwtOptions(peelId, account, { ...rest, now: () => nowMs });
}

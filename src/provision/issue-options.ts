// The options of bulk issuing.
import type { KeyBundle } from '../nkeys/key-bundle.js';
import { peelUserJwtOptions, type RoleUserJwtOptions } from '../permissions/roles.js';
import type { UserJwtOptions } from '../jwt/user.js';

/** The options of bulk issuing: those of `bootstrapPeelCreds`, plus the signer. */
export interface IssuePeelOptions extends RoleUserJwtOptions {
  /** The account's key, or one of its signing keys (then `issuerAccount` is required). The caller wipes it. */
  signer: KeyBundle;
  /** The account (`A…`), if the signer is one of its signing keys. */
  issuerAccount?: string | undefined;
  /**
   * Threads that generate keys and signatures; one per core by default, 0 for the caller's own thread only. The first
   * two hundred IDs are always processed in the caller's thread, since starting a thread costs more. In a bundled
   * program there is no file for threads to run, so the caller's thread does everything.
   */
  workers?: number | undefined;
  /** Stops issuing before the next credential, with the signal's reason. */
  signal?: AbortSignal | undefined;
}

/** The options that are sent to worker threads: no key, no function. */
export interface IssuePlan extends Omit<RoleUserJwtOptions, 'now'> {
  /** The account (`A…`). */
  account: string;
}

/** The plan for the given options. */
export function planOf(options: IssuePeelOptions): IssuePlan {
  const { signer, issuerAccount, expirySeconds, expiry, notBefore, tags, scoped, permissions, limits } =
    options;
  // named one by one: nothing else in the caller's object may be sent to another thread
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

// Decides whether a peel's recovery credential will do, or a renewal brings another.
import { isRevoked } from '../../jwt/chain.js';
import type { HeldRecovery } from '../../protocol/messages.js';
import type { IssuedKey } from '../../protocol/records/audit-event.js';
import { RECOVERY_CREDENTIAL_SECONDS, RECOVERY_CREDENTIAL_SPARE_SECONDS } from '../../timing.js';
import type { RecoveryPolicy } from '../requests/judge-recovery.js';

/** What a recovery credential must match. */
export interface RecoveryNeeds {
  /** The facts of the peel's own JWT. */
  facts: Pick<IssuedKey, 'publicKey' | 'expiresAt'>;
  /** The key that signs recovery credentials (`A…`). */
  issuer: string | undefined;
  /** The number of the peel's recoveries. */
  count: number;
  /** See {@link recoveryOutlives}. */
  outlives: number;
  /** Those of the account JWT. */
  revocations: Readonly<Record<string, number>>;
}

/** How long a recovery credential outlives the peel's own, at least, in seconds. */
export function recoveryOutlives(window: RecoveryPolicy['window']): number {
  return Math.max(RECOVERY_CREDENTIAL_SECONDS, window === 'manual' ? 0 : window);
}

/** How long a recovery credential outlives the peel's own, at most, in seconds. */
export function longestRecovery(window: RecoveryPolicy['window']): number {
  return recoveryOutlives(window) + RECOVERY_CREDENTIAL_SPARE_SECONDS;
}

/**
 * Whether the recovery credential that a peel says it has will do until its next renewal. Nothing of it is verified: a peel
 * that says something wrong only harms itself.
 */
export function isRecoveryEnough(
  held: HeldRecovery | undefined,
  { facts: { publicKey, expiresAt }, issuer, count, outlives, revocations }: RecoveryNeeds,
): boolean {
  if (held === undefined || expiresAt === undefined) return false;
  return (
    held.issuer === issuer &&
    held.count === count &&
    held.expiresAt >= expiresAt + outlives &&
    !isRevoked(revocations, publicKey, held.issuedAt)
  );
}

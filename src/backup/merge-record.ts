// Decides what a restore does with a record. Pure. A restore never reinstates a revoked peel.
import type { PeelChange } from '../protocol/records/audit-event.js';
import { currentKey, isAccepted, type PeelKey, type PeelRecord } from '../protocol/records/record.js';
import { REVOCATION_KEPT_AFTER_EXPIRY_SECONDS } from '../timing.js';

/**
 * Whether a backup's record replaces the fleet's.
 *
 * - The fleet has no record: yes.
 * - The fleet has the same record, at the same or a newer revision: no.
 * - The fleet has the same record at an older revision, as after restoring an older backup: yes, unless the fleet has
 *   revoked something since.
 * - The fleet has a different record, because the peel joined while the registry was lost: yes, if that record is
 *   undecided and has no issued key that the backup lacks. Otherwise no: an admin decides.
 *
 * @param living undefined: the fleet has none
 */
export function takesBackup(backup: PeelRecord, living: PeelRecord | undefined): boolean {
  if (living === undefined) return true;
  const isSame = living.createdAt === backup.createdAt;
  if (isSame) return living.number < backup.number && !hasRevoked(living, backup);
  const known = new Set(backup.keys.map(({ publicKey }) => publicKey));
  return (
    living.state === 'pending' &&
    living.keys.every(({ publicKey, issuedAt }) => issuedAt === undefined || known.has(publicKey))
  );
}

/** Whether a record locks out a key or the peel, and the backup does not. */
function hasRevoked(living: PeelRecord, backup: PeelRecord): boolean {
  if (isOut(living) && !isOut(backup)) return true;
  return living.keys.some(({ publicKey, state }) => {
    const key = backup.keys.find((other) => other.publicKey === publicKey);
    return isKeyOut(state) && key !== undefined && !isKeyOut(key.state);
  });
}

const isOut = ({ state }: PeelRecord): boolean => state === 'revoked' || state === 'rejected';
const isKeyOut = (state: PeelKey['state']): boolean => state === 'revoking' || state === 'revoked';

/**
 * The change to a restored record for a revocation after the backup, which the account JWT has and the record does not.
 * If the key in use is revoked, the peel is revoked too: the cause (an admin or a rotation) is unknown, and an
 * admin's revocation must hold. If another key is revoked, only that key.
 *
 * Servers enforce revocations of every key up to a time (`*`): the peel may have had a newer JWT.
 *
 * @param revocations of the account JWT: seconds since 1970 by public key
 * @param now seconds since 1970
 * @returns undefined if nothing changes
 */
export function revokedSince(
  record: PeelRecord,
  revocations: Readonly<Record<string, number>>,
  now: number,
): PeelChange | undefined {
  if (isOut(record)) return undefined;
  const isCovered = ({ publicKey, state, issuedAt }: PeelKey): boolean =>
    issuedAt !== undefined && !isKeyOut(state) && (revocations[publicKey] ?? -1) >= issuedAt;
  const covered = record.keys.filter(isCovered);
  if (covered.length === 0) return undefined;
  const current = currentKey(record);
  if (current !== undefined && isCovered(current)) return { kind: 'peel.revoked', upTo: now };
  return { kind: 'key.revoking', publicKeys: covered.map(({ publicKey }) => publicKey), upTo: now };
}

/**
 * Whether a restored peel may recover only if an admin accepts it. The account JWT drops a revocation some minutes
 * after the key has expired: for a key that expired before that, it is unknown whether it was revoked since the backup.
 *
 * @param now seconds since 1970
 */
export function mustHoldRecovery(record: PeelRecord, now: number): boolean {
  const expiresAt = currentKey(record)?.expiresAt;
  if (!isAccepted(record) || expiresAt === undefined) return false;
  return expiresAt + REVOCATION_KEPT_AFTER_EXPIRY_SECONDS <= now;
}

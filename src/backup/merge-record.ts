// Decides what a restore does with a record: the pure decision. A restore never brings a revoked peel back.
import type { PeelChange } from '../protocol/records/audit-event.js';
import { currentKey, isAccepted, type PeelKey, type PeelRecord } from '../protocol/records/record.js';
import { REVOCATION_KEPT_AFTER_EXPIRY_SECONDS } from '../timing.js';

/**
 * Whether the record of a backup takes the place of the one that the fleet has.
 *
 * - There is none: it does.
 * - The fleet's is the same record, as old or newer: it stays.
 * - The fleet's is the same record, but older, as after the restore of an older backup: the backup's takes its place, unless
 *   the fleet has revoked something since.
 * - The fleet's is another record, because the peel came while the registry was lost: where nobody has decided about it and
 *   it has no key that the backup lacks, the backup's takes its place. Otherwise an admin decides.
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

/** Whether a record says of a key, or of the peel, that it is out, and the backup says otherwise. */
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
 * What changes a restored record because of a revocation that came after the backup: the account JWT has it, the record does
 * not. The key in use is revoked: so is the peel, because nobody knows whether an admin did it or a rotation, and only the
 * former must hold. Another key is: only that one.
 *
 * Revocations of every key up to a time (`*`) are left to the servers: the peel may have had a newer JWT.
 *
 * @param revocations of the account JWT: seconds since 1970 by public key
 * @param now seconds since 1970
 * @returns undefined: nothing does
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
 * Whether a peel whose record a restore puts back may recover only if an admin accepts it. The account JWT forgets a revocation
 * some minutes after the key has expired: of a key that expired before that, nobody knows whether it was revoked since the backup.
 *
 * @param now seconds since 1970
 */
export function mustHoldRecovery(record: PeelRecord, now: number): boolean {
  const expiresAt = currentKey(record)?.expiresAt;
  if (!isAccepted(record) || expiresAt === undefined) return false;
  return expiresAt + REVOCATION_KEPT_AFTER_EXPIRY_SECONDS <= now;
}

// Decides whether a peel whose credential has expired may recover. No clock, no store.
import { FleetError } from '../../errors.js';
import {
  isAccepted,
  isReplacedByPeel,
  keyOf,
  keyToDecide,
  notAcceptedError,
  type PeelKey,
  type PeelRecord,
} from '../../protocol/records/record.js';
import { RECOVERY_LIMIT_WINDOW_SECONDS } from '../../timing.js';

/** Which peels may recover after their credential has expired. */
export interface RecoveryPolicy {
  /** Seconds after the expiry; 0: never. `manual`: at any time, and an admin accepts each. */
  window: number | 'manual';
  /** How often a peel may recover by itself within 30 days. Beyond that, an admin accepts it. */
  limit: number;
}

/** A recovery request whose keys and credential have been verified. */
export interface RecoveryRequest {
  /** The last key that the peel knows. */
  publicKey: string;
  newPublicKey: string;
  /** How often the peel had recovered when its recovery credential was issued. */
  count: number;
  /** The account JWT revokes the last key, including its last JWT. */
  revokedInAccount: boolean;
  /** The account no longer has the signing key of the last JWT: servers refuse it as if it had expired. */
  signerRemoved?: boolean;
}

/** The outcome of a recovery request. */
export type RecoveryVerdict =
  /** Issue a JWT for the new key; `number` counts the peel's recoveries. */
  | { is: 'recover'; number: number }
  /** The new key already has a valid JWT: the answer was lost, so repeat it. */
  | { is: 'again' }
  /** An admin decides. `isNew`: the record does not have the request yet. */
  | { is: 'pending'; isNew: boolean }
  /** The credential has not expired: the peel's clock may be off. */
  | { is: 'notExpired' }
  /** A copy of the credential is in use: stop both. */
  | { is: 'cloned'; reason: string }
  | { is: 'refused'; error: FleetError };

/**
 * Judges a recovery request by the record of its peel.
 *
 * Every recovery gives the peel a new key. So a request with a key that the peel itself has replaced comes from a copy
 * of its credential, or from the original after the copy has recovered: the two cannot be told apart, so both are
 * stopped. A lost answer is not mistaken for a copy: the peel retries with the same new key.
 *
 * @param nowSeconds since 1970
 */
export function judgeRecovery(
  record: PeelRecord | undefined,
  request: RecoveryRequest,
  { window, limit }: RecoveryPolicy,
  nowSeconds: number,
): RecoveryVerdict {
  const { publicKey, newPublicKey, count } = request;
  if (record === undefined) return refused('ERR_FLEET_UNKNOWN_PEEL', 'no master knows this peel');
  const { id } = record;
  if (record.state === 'rejected' || record.state === 'revoked')
    return { is: 'refused', error: notAcceptedError(record) };
  const last = keyOf(record, publicKey);
  if (last?.issuedAt === undefined) {
    return refused('ERR_FLEET_KEY_UNKNOWN', `the key ${publicKey} does not belong to the peel "${id}"`, id);
  }
  if (newPublicKey === publicKey) {
    return refused('ERR_FLEET_REQUEST', 'the new key equals the old one: make a new key', id);
  }
  const known = keyOf(record, newPublicKey);
  const use =
    known === undefined
      ? judgeLastKey(record, last, request, nowSeconds)
      : judgeNewKey(record, known, request, nowSeconds);
  if (use.is !== 'expired') return use;
  if (window === 'manual') return { is: 'pending', isNew: true };
  const late = nowSeconds - use.expiredAt - window;
  if (window === 0 || late > 0) {
    const why =
      window === 0
        ? 'the masters allow no recovery'
        : `its credential expired too long ago (--recovery ${window}s)`;
    return refused(
      'ERR_FLEET_RECOVERY',
      `the peel "${id}" cannot recover: ${why}; issue a new one ("zester peel add ${id} --replace")`,
      id,
    );
  }
  const since = nowSeconds - RECOVERY_LIMIT_WINDOW_SECONDS;
  const recent = record.recovery?.at.filter((at) => at > since).length ?? 0;
  // a revocation after the backup may be lost
  if (record.recovery?.held === true) return { is: 'pending', isNew: true };
  if (recent >= limit) return { is: 'pending', isNew: true };
  return { is: 'recover', number: nextNumber(record, count) };
}

/** The JWT of the key has expired, so the policy decides. `expiredAt`: seconds since 1970. */
interface Expired {
  is: 'expired';
  expiredAt: number;
}

function judgeLastKey(
  record: PeelRecord,
  last: PeelKey,
  { publicKey, count, revokedInAccount, signerRemoved = false }: RecoveryRequest,
  nowSeconds: number,
): RecoveryVerdict | Expired {
  const { id } = record;
  if (last.state !== 'issued' && last.state !== 'live') {
    if (isReplacedByPeel(record, publicKey)) {
      return cloned(
        `its key was replaced; its recovery count is ${count}, the masters' is ${countOf(record)}`,
      );
    }
    return { is: 'refused', error: keyRevoked(id, publicKey) };
  }
  if (revokedInAccount) return { is: 'refused', error: keyRevoked(id, publicKey) };
  const expiresAt = signerRemoved ? Math.min(nowSeconds, last.expiresAt ?? nowSeconds) : last.expiresAt;
  if (expiresAt === undefined || expiresAt > nowSeconds) return { is: 'notExpired' };
  if (isAccepted(record)) return { is: 'expired', expiredAt: expiresAt };
  const waiting = keyToDecide(record);
  // one last key requested two new keys, so two hosts have it
  if (waiting?.state === 'requested' && waiting.replaces === publicKey)
    return cloned('two hosts have requested a recovery with its key');
  return { is: 'refused', error: notAcceptedError(record) };
}

/** The new key is in the record: the peel retries, or an admin has decided meanwhile. */
function judgeNewKey(
  record: PeelRecord,
  known: PeelKey,
  { publicKey, newPublicKey, count, revokedInAccount }: RecoveryRequest,
  nowSeconds: number,
): RecoveryVerdict | Expired {
  const { id } = record;
  if (known.state === 'retired' || known.state === 'revoking' || known.state === 'revoked')
    return { is: 'refused', error: keyRevoked(id, newPublicKey) };
  if (known.replaces !== publicKey) {
    return refused(
      'ERR_FLEET_STATE',
      `the key ${newPublicKey} was requested with other parameters: use another key`,
      id,
    );
  }
  if (!isAccepted(record)) {
    return known.state === 'requested'
      ? { is: 'pending', isNew: false }
      : { is: 'refused', error: notAcceptedError(record) };
  }
  if (known.state === 'requested') {
    return revokedInAccount
      ? { is: 'refused', error: keyRevoked(id, publicKey) }
      : { is: 'recover', number: nextNumber(record, count) };
  }
  const { expiresAt } = known;
  if (expiresAt === undefined || expiresAt > nowSeconds) return { is: 'again' };
  // the answer was lost, and the host was off for another lifetime
  return { is: 'expired', expiredAt: expiresAt };
}

/** A registry restored from a backup may be stale; the credential, which a master signed, is not. */
function nextNumber(record: PeelRecord, count: number): number {
  return Math.max(countOf(record), count) + 1;
}

function countOf({ recovery }: PeelRecord): number {
  return recovery?.count ?? 0;
}

function cloned(why: string): RecoveryVerdict {
  return { is: 'cloned', reason: `a copy of its credential is in use: ${why}` };
}

function keyRevoked(peelId: string, publicKey: string): FleetError {
  const message = `the key ${publicKey} of the peel "${peelId}" is revoked`;
  return new FleetError('ERR_FLEET_REVOKED', message, { peelId, final: true });
}

function refused(
  code:
    | 'ERR_FLEET_UNKNOWN_PEEL'
    | 'ERR_FLEET_KEY_UNKNOWN'
    | 'ERR_FLEET_RECOVERY'
    | 'ERR_FLEET_STATE'
    | 'ERR_FLEET_REQUEST',
  message: string,
  peelId?: string,
): RecoveryVerdict {
  return {
    is: 'refused',
    error: new FleetError(code, message, peelId === undefined ? undefined : { peelId }),
  };
}

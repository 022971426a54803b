import { FleetError } from '../errors.js';
import type { IssuedKey } from '../fleet/audit-event.js';
import { keyOf, type PeelKey, type PeelRecord } from '../fleet/record.js';
import type { MasterContext } from './context.js';

/** Whether the last JWT of a key answers this request, and can be made again. */
export function isAnswerTo(
  { issuer }: Pick<MasterContext, 'issuer'>,
  key: PeelKey,
  requestId: string,
): boolean {
  return key.requestId === requestId && key.issuer !== undefined && issuer.canSign(factsOf(key));
}

/** A JWT that follows another is never older, whatever the clocks of two masters say. */
export function notBefore(nowMs: number, key: PeelKey | undefined): number {
  return Math.max(nowMs, (key?.issuedAt ?? 0) * 1000);
}

/** The last JWT of a key, made again. @throws FleetError `ERR_FLEET_RECORD` when there was none */
export function jwtOf(
  { issuer }: Pick<MasterContext, 'issuer'>,
  record: PeelRecord,
  publicKey: string,
): string {
  const key = keyOf(record, publicKey);
  if (key === undefined) {
    throw new FleetError('ERR_FLEET_RECORD', `the record of "${record.id}" does not have ${publicKey}`);
  }
  const facts = factsOf(key);
  // the signing key was changed while this was being answered: the same request gets a new one
  if (!issuer.canSign(facts))
    throw new FleetError('ERR_FLEET_STORE', 'the signing key has changed: try again');
  return issuer.peelJwt(record.id, facts);
}

function factsOf({ publicKey, issuer, issuedAt, expiresAt }: PeelKey): IssuedKey {
  if (issuer === undefined || issuedAt === undefined) {
    throw new FleetError('ERR_FLEET_RECORD', `no JWT was issued for ${publicKey}`);
  }
  return { publicKey, issuer, issuedAt, ...(expiresAt !== undefined && { expiresAt }) };
}

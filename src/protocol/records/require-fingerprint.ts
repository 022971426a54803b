// Compares the fingerprint that an admin approves with the keys of a peel.
import { FleetError } from '../../errors.js';
import { fingerprint } from '../fingerprint.js';
import { keyToDecide, shownKey, type PeelKey, type PeelRecord } from './record.js';

/**
 * Requires that the key to decide on has this fingerprint; of a peel that is not pending any more, a key that is not
 * revoked, since the request may be a retry.
 *
 * @param wanted as people type it
 * @throws FleetError `ERR_FLEET_PROOF`
 */
export function requireFingerprint(record: PeelRecord, wanted: string): void {
  const pending = keyToDecide(record);
  const keys = pending === undefined ? record.keys.filter(isNotRevoked) : [pending];
  if (keys.some(({ publicKey }) => fingerprint(publicKey) === wanted.trim().toLowerCase())) return;
  const shown = shownKey(record);
  const found = shown === undefined ? '(none)' : fingerprint(shown.publicKey);
  const words = `the key of "${record.id}" has the fingerprint ${found}, which does not match: it was not accepted`;
  throw new FleetError('ERR_FLEET_PROOF', words, { peelId: record.id });
}

function isNotRevoked({ state }: PeelKey): boolean {
  return state !== 'revoking' && state !== 'revoked';
}

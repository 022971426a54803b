// Checks the signatures that prove possession of keys.
import { FleetError } from '../../errors.js';
import { verifySignature } from '../../nkeys/verify.js';
import { newKeyProof } from '../../protocol/proofs.js';
import type { Actor } from '../../protocol/records/actor.js';

/** A key (`U…`), and its signature of a proof as requests carry it. */
interface Signed {
  publicKey: string;
  signature: string;
}

/** Proofs of two keys: the current one and its replacement. */
interface SignedByBoth extends Signed {
  newPublicKey: string;
  newSignature: string;
}

/**
 * Checks that a key has signed a proof.
 *
 * @param what the signed thing in the error message, such as "the request"
 * @throws FleetError `ERR_FLEET_PROOF`
 */
export function checkProof(
  what: string,
  proof: Uint8Array,
  { publicKey, signature }: Signed,
  peelId?: string,
): void {
  if (verifySignature(publicKey, proof, Buffer.from(signature, 'base64url'))) return;
  throw new FleetError('ERR_FLEET_PROOF', `${what} is not signed by ${publicKey}`, { peelId });
}

/**
 * Checks that the new key of an admin's request has signed it. The owner may omit the signature: nobody locks out more
 * users than the owner may.
 *
 * @param of.id the peel ID, or the ID of the join token
 * @throws FleetError `ERR_FLEET_PROOF`
 */
export function checkNewKey(
  { role }: Actor,
  of: { request: 'peel.add' | 'token.create'; id: string; publicKey: string },
  signature: string | undefined,
): void {
  const { request, id, publicKey } = of;
  const peelId = request === 'peel.add' ? id : undefined;
  if (signature !== undefined)
    return checkProof('the request', newKeyProof(of), { publicKey, signature }, peelId);
  if (role === undefined) return;
  throw new FleetError(
    'ERR_FLEET_PROOF',
    `the request is not signed by the new key ${publicKey}: upgrade zester on the sending host`,
    { peelId },
  );
}

/** Checks that a key and its replacement have signed a proof. @throws as {@link checkProof} */
export function checkProofOfBoth(
  what: string,
  proof: Uint8Array,
  { publicKey, signature, newPublicKey, newSignature }: SignedByBoth,
  peelId: string,
): void {
  checkProof(what, proof, { publicKey, signature }, peelId);
  checkProof(what, proof, { publicKey: newPublicKey, signature: newSignature }, peelId);
}

// Signs and verifies messages between masters.
import type { MsgHdrs } from '@nats-io/nats-core';
import { FleetError } from '../../errors.js';
import { validateChainOfUser } from '../../jwt/chain.js';
import { MASTER_NAME } from '../../permissions/names.js';
import { isMasterIssuer } from '../../trust/keys/signing-keys.js';
import { isMasterOf } from '../../protocol/is-master.js';
import { encodeJson } from '../../protocol/messages.js';
import { verifySigned } from '../../protocol/signed.js';
import type { MasterContext } from '../context.js';

/** What the signature of a message to other masters covers: its subject or, for an answer, the subject of the request. */
function peerContext(subject: string): string {
  return `masters ${subject}`;
}

/** Encodes and signs a message to other masters. */
export function signedForPeers(
  { signer }: Pick<MasterContext, 'signer'>,
  subject: string,
  message: object,
): { data: Uint8Array; headers: MsgHdrs } {
  const data = encodeJson(message);
  return { data, headers: signer.sign(peerContext(subject), data) };
}

/**
 * Checks that a message is from a master of this account: users with custom permissions could publish there.
 *
 * @throws ZesterError if it is not
 */
export function checkPeer(
  { trust, now }: Pick<MasterContext, 'trust' | 'now'>,
  subject: string,
  message: { data: Uint8Array; headers?: MsgHdrs | undefined },
): void {
  const { operatorJwt, accountJwt, publicKeys } = trust.domain;
  const { claims } = verifySigned(peerContext(subject), message);
  validateChainOfUser(operatorJwt, accountJwt, claims, { now });
  if (isMasterOf(claims, publicKeys.account, now() / 1000)) return;
  // its chain is valid, so its key is in the current account
  if (claims.name === MASTER_NAME && isMasterIssuer(trust.claims, claims.iss)) return;
  throw new FleetError('ERR_FLEET_PROOF', `${claims.sub} is not a master`);
}

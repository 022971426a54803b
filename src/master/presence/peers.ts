// Signs and verifies what masters tell each other.
import type { MsgHdrs } from '@nats-io/nats-core';
import { FleetError } from '../../errors.js';
import { validateChainOfUser } from '../../jwt/chain.js';
import { MASTER_NAME } from '../../permissions/names.js';
import { isMasterIssuer } from '../../trust/keys/signing-keys.js';
import { isMasterOf } from '../../protocol/is-master.js';
import { encodeJson } from '../../protocol/messages.js';
import { verifySigned } from '../../protocol/signed.js';
import type { MasterContext } from '../context.js';

/** What signs a message to other masters is bound to its subject or, of an answer, to the subject of the request. */
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
 * Whether a message is from a master of this account: others could publish there with permissions of their own.
 *
 * @throws ZesterError when it is not
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
  // its chain holds, so its key is in the account as it is now
  if (claims.name === MASTER_NAME && isMasterIssuer(trust.claims, claims.iss)) return;
  throw new FleetError('ERR_FLEET_PROOF', `${claims.sub} is not a master`);
}

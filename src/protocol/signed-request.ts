// Signs an admin's request with a time and a nonce, and verifies it.
import { headers as newHeaders, nuid, type MsgHdrs } from '@nats-io/nats-core';
import { FleetError } from '../errors.js';
import type { UserClaims } from '../jwt/claims.js';
import { ADMIN_REQUEST_WINDOW_MS } from '../timing.js';
import { JWT_HEADER, SIGNATURE_HEADER, verifySigned, type MessageSigner } from './signed.js';

const TIME_HEADER = 'Zester-Time';
const NONCE_HEADER = 'Zester-Nonce';
/** In addition to the signature that earlier masters verify, which covers neither of these. */
const REQUEST_SIGNATURE_HEADER = 'Zester-Request-Signature';
const TIME = /^[0-9]{1,15}$/;
const NONCE = /^[A-Za-z0-9]{16,64}$/;

/** The options of a signed request, for tests. */
export interface RequestStamp {
  /** Milliseconds since 1970. */
  time?: number;
  nonce?: string;
}

/** A request with a valid signature. */
export interface OpenedRequest {
  claims: UserClaims;
  /** Unique among the requests of this signer. */
  nonce: string;
}

/** The context that the signature is bound to. Neither a subject nor a time nor a nonce contains a space. */
function contextOf(subject: string, time: string, nonce: string): string {
  return `request-2 ${subject} ${time} ${nonce}`;
}

/**
 * The headers that prove the sender and the time of a request, and make a replay detectable. Sign a retry again.
 *
 * @param subject the subject that the request is published on
 */
export function signRequest(
  signer: MessageSigner,
  subject: string,
  data: Uint8Array,
  { time = Date.now(), nonce = nuid.next() }: RequestStamp = {},
): MsgHdrs {
  // for masters of earlier versions, during an upgrade; newer ones ignore it
  const headers = signer.sign(`request ${subject}`, data);
  const signed = signer.sign(contextOf(subject, String(time), nonce), data);
  headers.set(REQUEST_SIGNATURE_HEADER, signed.get(SIGNATURE_HEADER));
  headers.set(TIME_HEADER, String(time));
  headers.set(NONCE_HEADER, nonce);
  return headers;
}

/**
 * Verifies that a request was signed for this subject at about the current time, and returns the signer's claims. The
 * caller checks that the nonce is new.
 *
 * @param now milliseconds since 1970
 * @throws FleetError `ERR_FLEET_PROOF`; `ERR_FLEET_CLOCK` when it was signed more than {@link ADMIN_REQUEST_WINDOW_MS}
 *   before or after `now`
 */
export function openRequest(
  { subject, data, headers }: { subject: string; data: Uint8Array; headers?: MsgHdrs | undefined },
  now: number,
): OpenedRequest {
  const [time, nonce, signature] = [TIME_HEADER, NONCE_HEADER, REQUEST_SIGNATURE_HEADER].map(
    (name) => headers?.get(name) ?? '',
  ) as [string, string, string];
  if (headers?.has(SIGNATURE_HEADER) === true && signature === '') {
    throw new FleetError(
      'ERR_FLEET_PROOF',
      'the request is signed without a time and a nonce, so it could be replayed: upgrade zester on the sending host',
    );
  }
  const proof = newHeaders();
  proof.set(JWT_HEADER, headers?.get(JWT_HEADER) ?? '');
  proof.set(SIGNATURE_HEADER, signature);
  const { claims } = verifySigned(contextOf(subject, time, nonce), { data, headers: proof });
  if (!TIME.test(time) || !NONCE.test(nonce)) {
    throw new FleetError('ERR_FLEET_PROOF', 'the time or the nonce of the request is malformed');
  }
  const ahead = Number(time) - now;
  if (Math.abs(ahead) > ADMIN_REQUEST_WINDOW_MS) {
    const seconds = Math.round(Math.abs(ahead) / 1000);
    throw new FleetError(
      'ERR_FLEET_CLOCK',
      `the request was signed ${seconds} s ${ahead > 0 ? 'after' : 'before'} its arrival by the master's clock, and at most ` +
        `${ADMIN_REQUEST_WINDOW_MS / 1000} s are allowed: set the clock of this host, or the master's`,
    );
  }
  return { claims, nonce };
}

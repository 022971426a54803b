// Verifies that an answer or notice comes from a master of this account.
import { hasExpired } from '../jwt/expiry.js';
import { FleetError, ZesterError, type FleetErrorCode } from '../errors.js';
import { answerContext, type RawAnswer } from '../protocol/admin-client.js';
import { isMasterOf } from '../protocol/is-master.js';
import { parseAnswer, refusalIn, type AnswerOf, type RequestName } from '../protocol/messages.js';
import { verifySigned } from '../protocol/signed.js';
import { accountOf } from '../jwt/account-of.js';
import type { UserClaims } from '../jwt/claims.js';
import { decodeUserJwt } from '../jwt/decode.js';

/** The trusted masters: those of this account whose JWT has not expired. */
export interface TrustedMaster {
  /** The account (`A…`). */
  account: string;
  /** Milliseconds since 1970. */
  now: number;
}

/** The requirements for a JWT issued by a master. */
export interface WantedJwt {
  peelId: string;
  publicKey: string;
  /** Earliest issue time, in seconds since 1970. */
  notIssuedBefore: number;
}

/**
 * Checks that a message is signed by a master of the account, in this context.
 *
 * @throws FleetError `ERR_FLEET_ANSWER`
 */
export function checkMasterSigned(
  what: string,
  context: string,
  message: RawAnswer,
  { account, now }: TrustedMaster,
): void {
  let claims: UserClaims;
  let endorsements: string;
  try {
    ({ claims, endorsements } = verifySigned(context, message));
  } catch (cause) {
    if (!(cause instanceof ZesterError)) throw cause;
    throw notAMasters(what, cause.message, cause);
  }
  if (!isMasterOf(claims, account, Math.floor(now / 1000), endorsements)) {
    throw notAMasters(
      what,
      `${claims.sub} ("${claims.name ?? ''}") signed it, which is not a master of ${account}`,
    );
  }
}

/**
 * Reads an answer and verifies that a master signed it.
 *
 * @param requestIdOrSubject the context that its signature covers
 * @throws FleetError `ERR_FLEET_ANSWER` when it is not from a master or does not answer this request; with the code,
 *   and `final`, of a refusal signed by a master
 */
export function readMasterAnswer<N extends RequestName>(
  name: N,
  requestIdOrSubject: string,
  answer: RawAnswer,
  master: TrustedMaster,
): AnswerOf<N> {
  checkMasterSigned(`the answer to "${name}"`, answerContext(name, requestIdOrSubject), answer, master);
  const refusal = refusalIn(answer.data);
  if (refusal !== undefined) {
    throw new FleetError(refusal.code as FleetErrorCode, refusal.message, { final: refusal.final === true });
  }
  return parseAnswer(name, answer.data);
}

/**
 * Checks that a JWT from a master is the requested one.
 *
 * @throws FleetError `ERR_FLEET_ANSWER`
 */
export function checkGivenJwt(jwt: string, wanted: WantedJwt, { account, now }: TrustedMaster): UserClaims {
  const bad = (why: string, cause?: unknown) =>
    new FleetError('ERR_FLEET_ANSWER', `the JWT in the master's answer is not used: ${why}`, { cause });
  let claims: UserClaims;
  try {
    claims = decodeUserJwt(jwt);
  } catch (cause) {
    if (!(cause instanceof ZesterError)) throw cause;
    throw bad(cause.message, cause);
  }
  if (claims.sub !== wanted.publicKey) throw bad(`it is for ${claims.sub}, not for ${wanted.publicKey}`);
  if (claims.name !== wanted.peelId)
    throw bad(`it is for "${claims.name ?? ''}", not for "${wanted.peelId}"`);
  if (accountOf(claims) !== account)
    throw bad(`it belongs to the account ${accountOf(claims)}, not to ${account}`);
  if (claims.iat < wanted.notIssuedBefore) throw bad('it is older than the one in use');
  if (hasExpired(claims, now)) throw bad('it has expired');
  return claims;
}

function notAMasters(what: string, why: string, cause?: unknown): FleetError {
  return new FleetError('ERR_FLEET_ANSWER', `${what} is not from a master and is ignored: ${why}`, { cause });
}

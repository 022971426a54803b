// Decides what to do about a connection: a pure function.
import { signingKeyIds } from '../../jwt/signing-key-ids.js';
import { JwtChainError, JwtError, redactSeeds, type ErrorCode, type ZesterError } from '../../errors.js';
import { isReservedName } from '../../protocol/is-master.js';
import { keyOf, type PeelRecord } from '../../protocol/records/record.js';
import type { JoinToken } from '../../protocol/records/join-token.js';
import { validateChainOfUser } from '../../jwt/chain.js';
import type { AccountClaims, UserClaims } from '../../jwt/claims.js';
import { decodeUserJwt, userSubjectAsServersReadIt } from '../../jwt/decode.js';
import { isIssuedAhead } from '../../jwt/revoke-up-to.js';
import { PEEL_SPACES } from '../../permissions/names.js';
import { isPeelId } from '../../permissions/peel-id.js';
import { peelIdOfRecoveryName } from '../../permissions/recovery.js';
import { tokenIdOfName } from '../../permissions/roles.js';
import { isJoinIssuer, isOwnUserIssuer, isPeelIssuer } from '../../trust/keys/signing-keys.js';
import type { UserConnection } from './system-events.js';

/** The verdict on a connection. */
export type Verdict =
  /** Not a peel's connection: not the master's concern. */
  | { is: 'other' }
  /** A join token's or a recovery credential's: it may only send requests. */
  | { is: 'token' }
  /**
   * A peel's, with a known key. `ahead`: its JWT claims a later issue time than its use, and the registry knows the
   * JWT; seconds since 1970.
   */
  | { is: 'known'; ahead?: number }
  /** A peel's, with a key that was issued to it and connects for the first time. */
  | { is: 'first'; ahead?: number }
  /** A peel without a record, with a valid chain. `trusted`: signed by one of our peel signing keys. */
  | { is: 'new'; claims: UserClaims; trusted: boolean }
  /** Cut it, and revoke its key: `publicKey`, or if there is none, the key that the server reports. */
  | { is: 'refused'; code: ErrorCode; reason: string; publicKey?: string };

/** The facts that a connection is judged by. */
export interface Known {
  operatorJwt: string;
  accountJwt: string;
  account: AccountClaims;
  peelSigningKey: string;
  /** The record of the peel with this name. */
  record: PeelRecord | undefined;
  /** The peel that has this key. */
  owner: string | undefined;
  /** The join token with this ID. */
  token: (id: string) => JoinToken | undefined;
  now: () => number;
}

/**
 * Judges a connection by its server's report: the JWT that was sent, its whole chain up to the operator, and earlier
 * decisions about the peel. Nothing that the peel itself claims counts. A connection that cannot be judged is refused.
 */
export function judge(connection: UserConnection, known: Known): Verdict {
  try {
    return judgeClaims(connection, decodeUserJwt(connection.jwt), known);
  } catch (error) {
    const { code, message }: Pick<ZesterError, 'code' | 'message'> =
      error instanceof JwtError
        ? error
        : { code: 'ERR_FLEET_UNJUDGED', message: `it cannot be judged (${redactSeeds(String(error))})` };
    // the server accepted it: the accepted key is in the JWT; the event's `user` may be whatever the client wrote
    const publicKey = userSubjectAsServersReadIt(connection.jwt);
    return { is: 'refused', code, reason: message, ...(publicKey !== undefined && { publicKey }) };
  }
}

function judgeClaims(connection: UserConnection, claims: UserClaims, known: Known): Verdict {
  // a master never cuts masters and admins, whatever a server reports: the account vouches for them
  if (
    (claims.iss === known.account.sub || isOwnUserIssuer(known.account, claims.iss)) &&
    isReservedName(claims.name ?? '') &&
    !chain(connection, claims, known)
  ) {
    return { is: 'other' };
  }
  if (claims.sub !== connection.publicKey) {
    return {
      is: 'refused',
      code: 'ERR_FLEET_OTHER_KEY',
      reason: 'the key in its JWT differs from the user that the server reports',
      publicKey: claims.sub,
    };
  }
  const isToken = isJoinIssuer(known.account, claims.iss);
  const trusted = isPeelIssuer(known.account, claims.iss, known.peelSigningKey);
  const isPeel = trusted || hasPeelGrants(claims);
  if ((isToken || isPeel) && connection.kind?.toLowerCase() === 'leafnode') {
    // whatever its template allows: a leafnode checks its own publishing (docs/nats-facts.md, 30)
    return {
      is: 'refused',
      code: 'ERR_FLEET_LEAFNODE',
      reason: `a leafnode uses the credential of a ${isToken ? 'join token' : 'peel'}`,
      publicKey: claims.sub,
    };
  }
  // the key may be a peel's, and must not be revoked for this; a request made with it is judged on its own
  if (isToken && peelIdOfRecoveryName(claims.name ?? '') !== undefined) return { is: 'token' };
  if (isToken) return judgeToken(connection, claims, known);
  if (!isPeel) {
    // a user of the account that is not a peel, such as a master or a user's own service; but not one signed by a key
    // that the account does not have (any more)
    return isOurs(claims, known) ? { is: 'other' } : (chain(connection, claims, known) ?? { is: 'other' });
  }
  return chain(connection, claims, known) ?? judgePeel(connection, claims, known, trusted);
}

function judgeToken(connection: UserConnection, claims: UserClaims, { token, now }: Known): Verdict {
  const refusedToken = (code: ErrorCode, reason: string): Verdict => ({ is: 'refused', code, reason });
  const id = tokenIdOfName(claims.name ?? '');
  if (id === undefined) {
    return refusedToken(
      'ERR_FLEET_TOKEN_UNKNOWN',
      'it is signed by the key of join tokens, but its name is not that of a join token',
    );
  }
  const of = token(id);
  const made = of?.publicKey === claims.sub ? Date.parse(of.createdAt) / 1000 : undefined;
  if (isAhead(connection, claims) && (made === undefined || claims.iat > made)) return issuedAhead(claims);
  // a token that another master created an instant ago may be unknown here: it can only send requests
  if (of === undefined) return { is: 'token' };
  if (of.publicKey !== claims.sub) {
    return refusedToken('ERR_FLEET_TOKEN_UNKNOWN', `the join token ${of.id} has another key`);
  }
  if (of.removedAt !== undefined) {
    return refusedToken('ERR_FLEET_TOKEN_UNKNOWN', `the join token ${of.id} was removed`);
  }
  if (Date.parse(of.expiresAt) <= now()) {
    return refusedToken('ERR_FLEET_TOKEN_EXPIRED', `the join token ${of.id} has expired`);
  }
  return { is: 'token' };
}

function judgePeel(connection: UserConnection, claims: UserClaims, known: Known, trusted: boolean): Verdict {
  const name = claims.name ?? '';
  const refusal = (code: ErrorCode, reason: string): Verdict => ({ is: 'refused', code, reason });
  if (!isPeelId(name) || isReservedName(name)) {
    return refusal('ERR_PEEL_ID', 'the name in its JWT is not a valid peel ID');
  }
  if (known.owner !== undefined && known.owner !== name) {
    return refusal('ERR_FLEET_KEY_TAKEN', `its key belongs to the peel "${known.owner}"`);
  }
  const { record } = known;
  const key = record && keyOf(record, claims.sub);
  const isDatedAhead = isAhead(connection, claims);
  // a key's JWTs have increasing issue times: one that is not later than the last may be one of them
  if (isDatedAhead && claims.iat > (key?.issuedAt ?? -1)) return issuedAhead(claims);
  if (record === undefined) return { is: 'new', claims, trusted };
  const ahead = isDatedAhead ? { ahead: claims.iat } : {};
  if (record.state === 'rejected' || record.state === 'revoked') {
    return refusal(
      record.state === 'rejected' ? 'ERR_FLEET_REJECTED' : 'ERR_FLEET_REVOKED',
      `the peel is ${record.state}`,
    );
  }
  switch (key?.state) {
    case undefined:
    case 'requested':
      return refusal(
        'ERR_FLEET_ID_TAKEN',
        'the peel has another key, and no master issued this one: two live keys for one ID',
      );
    case 'issued':
      return { is: 'first', ...ahead };
    case 'live':
      return { is: 'known', ...ahead };
    case 'retired':
      // a replaced key is draining; it is revoked at the end of that time
      return { is: 'known', ...ahead };
    case 'revoking':
    case 'revoked':
      return refusal('ERR_FLEET_REVOKED', 'its key is revoked');
  }
}

/** By the server's clock, which says when the JWT was used. */
function isAhead(connection: UserConnection, { iat }: UserClaims): boolean {
  return isIssuedAhead(iat, Date.parse(connection.since) / 1000);
}

function issuedAhead({ iat }: UserClaims): Verdict {
  return {
    is: 'refused',
    code: 'ERR_FLEET_ISSUED_AHEAD',
    reason:
      `its JWT claims to be issued at ${new Date(iat * 1000).toISOString()}, after it connected: its signer's clock ` +
      'is fast, or the JWT was made to outlive its revocation',
  };
}

function chain(connection: UserConnection, claims: UserClaims, known: Known): Verdict | undefined {
  try {
    // as of its connect time, by its server's clock: the server enforces expiry, and our clock may differ
    const at = Date.parse(connection.since);
    if (Number.isNaN(at)) throw new RangeError('the server does not report when it connected');
    validateChainOfUser(known.operatorJwt, known.accountJwt, claims, { now: () => at });
    return undefined;
  } catch (error) {
    if (!(error instanceof JwtChainError)) throw error;
    return refused(error);
  }
}

function refused(error: ZesterError): Verdict {
  return { is: 'refused', code: error.code, reason: error.message };
}

/** Whether a key of the account signed it, as far as this master knows the account. */
function isOurs({ iss }: UserClaims, { account }: Known): boolean {
  return iss === account.sub || signingKeyIds(account).includes(iss);
}

/**
 * Whether a JWT grants what peels are granted, under its own name, as `bootstrapPeelCreds` with an account key does.
 */
function hasPeelGrants({ name = '', nats }: UserClaims): boolean {
  if (name === '') return false;
  const subjects = [...(nats.pub?.allow ?? []), ...(nats.sub?.allow ?? [])];
  const own = PEEL_SPACES.map((space) => `zester.${space}.${name}`);
  return subjects.some((subject) => own.some((one) => subject === one || subject.startsWith(`${one}.`)));
}

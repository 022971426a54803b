// Decides what to do about a connection: the pure judgment.
import { JwtChainError, JwtError, redactSeeds, type ZesterError } from '../../errors.js';
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

/** What a master makes of a connection. */
export type Verdict =
  /** No peel's, and none of the master's business. */
  | { is: 'other' }
  /** A join token's, or a recovery credential's: it can do nothing but ask. */
  | { is: 'token' }
  /**
   * A peel's, with the key that it is known to use. `ahead`: its JWT claims to be issued later than it was used, and the
   * registry knows it: seconds since 1970.
   */
  | { is: 'known'; ahead?: number }
  /** A peel's, with a key that was issued to it and has not connected before. */
  | { is: 'first'; ahead?: number }
  /** Of a peel that is in no record, whose chain holds. `trusted`: signed by a peel signing key of ours. */
  | { is: 'new'; claims: UserClaims; trusted: boolean }
  /** To be cut, and its key to be revoked: `publicKey`, or where there is none the one that the server names. */
  | { is: 'refused'; code: string; reason: string; publicKey?: string };

/** What is known when a connection is judged. */
export interface Known {
  operatorJwt: string;
  accountJwt: string;
  account: AccountClaims;
  peelSigningKey: string;
  /** The record of the peel of this name. */
  record: PeelRecord | undefined;
  /** Which peel has this key. */
  owner: string | undefined;
  /** The join token of this id. */
  token: (id: string) => JoinToken | undefined;
  now: () => number;
}

/**
 * Judges a connection by what its server tells of it: the JWT that was sent, its whole chain up to the operator, and what
 * was decided about the peel before. Nothing that the peel itself says is asked.
 *
 * What cannot be judged is refused.
 */
export function judge(connection: UserConnection, known: Known): Verdict {
  try {
    return judgeClaims(connection, decodeUserJwt(connection.jwt), known);
  } catch (error) {
    const { code, message } =
      error instanceof JwtError
        ? error
        : { code: 'ERR_FLEET_UNJUDGED', message: `it cannot be judged (${redactSeeds(String(error))})` };
    // the server took it: the key that it took is in the JWT, and `user` of the event may be what the client wrote there
    const publicKey = userSubjectAsServersReadIt(connection.jwt);
    return { is: 'refused', code, reason: message, ...(publicKey !== undefined && { publicKey }) };
  }
}

function judgeClaims(connection: UserConnection, claims: UserClaims, known: Known): Verdict {
  // a master does not cut masters and admins, whatever a server says of them: the account vouches for them
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
  const isPeel = trusted || speaksAsPeel(claims);
  if ((isToken || isPeel) && connection.kind?.toLowerCase() === 'leafnode') {
    // whatever its template allows: a leafnode checks for itself what it publishes (docs/nats-facts.md, 30)
    return {
      is: 'refused',
      code: 'ERR_FLEET_LEAFNODE',
      reason: `a leafnode uses the credential of a ${isToken ? 'join token' : 'peel'}`,
      publicKey: claims.sub,
    };
  }
  // its key may be a peel's, which must not be revoked for it; and whoever asks with it is judged then
  if (isToken && peelIdOfRecoveryName(claims.name ?? '') !== undefined) return { is: 'token' };
  if (isToken) return judgeToken(connection, claims, known);
  if (!isPeel) {
    // a user of the account that is not a peel, such as a master or a user's own service; but nobody whom a key
    // signed that the account does not have (any more)
    return isOurs(claims, known) ? { is: 'other' } : (chain(connection, claims, known) ?? { is: 'other' });
  }
  return chain(connection, claims, known) ?? judgePeel(connection, claims, known, trusted);
}

function judgeToken(connection: UserConnection, claims: UserClaims, { token, now }: Known): Verdict {
  const refusedToken = (code: string, reason: string): Verdict => ({ is: 'refused', code, reason });
  const id = tokenIdOfName(claims.name ?? '');
  if (id === undefined) {
    return refusedToken(
      'ERR_FLEET_TOKEN_UNKNOWN',
      'the key of join tokens signed it, but its name is not that of a join token',
    );
  }
  const of = token(id);
  const made = of?.publicKey === claims.sub ? Date.parse(of.createdAt) / 1000 : undefined;
  if (isAhead(connection, claims) && (made === undefined || claims.iat > made)) return issuedAhead(claims);
  // one that was made an instant ago by another master may not be known here yet: it can do nothing but ask
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
  const refusal = (code: string, reason: string): Verdict => ({ is: 'refused', code, reason });
  if (!isPeelId(name) || isReservedName(name)) {
    return refusal('ERR_PEEL_ID', 'the name in its JWT is not a valid peel ID');
  }
  if (known.owner !== undefined && known.owner !== name) {
    return refusal('ERR_FLEET_KEY_TAKEN', `its key belongs to the peel "${known.owner}"`);
  }
  const { record } = known;
  const key = record && keyOf(record, claims.sub);
  const isDatedAhead = isAhead(connection, claims);
  // JWTs of a key are never issued before the one before: what is not later than the last one may be one of them
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
      // one that has just been replaced drains; it is revoked when its time is over
      return { is: 'known', ...ahead };
    case 'revoking':
    case 'revoked':
      return refusal('ERR_FLEET_REVOKED', 'its key is revoked');
  }
}

/** By the server's clock: it says when the JWT was used. */
function isAhead(connection: UserConnection, { iat }: UserClaims): boolean {
  return isIssuedAhead(iat, Date.parse(connection.since) / 1000);
}

function issuedAhead({ iat }: UserClaims): Verdict {
  return {
    is: 'refused',
    code: 'ERR_FLEET_ISSUED_AHEAD',
    reason:
      `its JWT claims to be issued at ${new Date(iat * 1000).toISOString()}, which is after it connected: its signer ` +
      'has a fast clock, or wants it to outlive its revocation',
  };
}

function chain(connection: UserConnection, claims: UserClaims, known: Known): Verdict | undefined {
  try {
    // as of when it connected, by its server's clock: the server ends what expires, and our clock may be another
    const at = Date.parse(connection.since);
    if (Number.isNaN(at)) throw new RangeError('the server does not say since when it is connected');
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

/** Whether a key of the account signed it, as far as the master knows the account. */
function isOurs({ iss }: UserClaims, { account }: Known): boolean {
  const keys = (account.nats.signing_keys ?? []).map((key) => (typeof key === 'string' ? key : key.key));
  return iss === account.sub || keys.includes(iss);
}

/** Whether a JWT grants what peels are granted, to the name that it has: as `bootstrapPeelCreds` with an account's key. */
function speaksAsPeel({ name = '', nats }: UserClaims): boolean {
  if (name === '') return false;
  const subjects = [...(nats.pub?.allow ?? []), ...(nats.sub?.allow ?? [])];
  const own = PEEL_SPACES.map((space) => `zester.${space}.${name}`);
  return subjects.some((subject) => own.some((one) => subject === one || subject.startsWith(`${one}.`)));
}

// Decides the claims of the next JWT of a key, and recreates a JWT that was already issued for a request.
import { FleetError } from '../../errors.js';
import type { IssuedKey } from '../../protocol/records/audit-event.js';
import { keyOf, type PeelKey, type PeelRecord } from '../../protocol/records/record.js';
import { isIssuedAhead, issueAfter } from '../../jwt/revoke-up-to.js';
import { EVERYONE } from '../../jwt/revocations.js';
import { isPeelIssuer } from '../../trust/keys/signing-keys.js';
import type { HeldRecovery } from '../../protocol/messages.js';
import type { MasterContext } from '../context.js';
import { isRecoveryEnough, longestRecovery, recoveryOutlives } from './recovery-credential.js';

/** Whether this master can recreate the last JWT of a key. */
export function canRecreate({ issuer }: Pick<MasterContext, 'issuer'>, key: PeelKey): boolean {
  return key.issuer !== undefined && issuer.canSign(factsOf(key));
}

/** Whether the last JWT of a key answers this request, and can be recreated. */
export function isAnswerTo(context: Pick<MasterContext, 'issuer'>, key: PeelKey, requestId: string): boolean {
  return key.requestId === requestId && canRecreate(context, key);
}

/**
 * The issue time of the next JWT of a key, in milliseconds since 1970: later than that of its last one, even if two
 * masters' clocks differ, and later than any revocation of everyone.
 *
 * @throws FleetError `ERR_FLEET_REVOKED` when the account JWT revokes this key, or everyone up to a time well in the future;
 *   `ERR_FLEET_KEY_OFFLINE` when the account no longer has the signing key of this home
 */
export function nextIssueTime(
  { trust, now }: Pick<MasterContext, 'trust' | 'now'>,
  publicKey: string,
  key: PeelKey | undefined,
): number {
  const { peelSigning } = trust.domain.publicKeys;
  if (!isPeelIssuer(trust.claims, peelSigning, peelSigning)) {
    throw new FleetError(
      'ERR_FLEET_KEY_OFFLINE',
      `this master's signing key ${peelSigning} is no longer in the account: copy the home that "zester keys add" changed to this host`,
    );
  }
  const revocations = trust.claims.nats.revocations ?? {};
  const own = revocations[publicKey];
  // if the last JWT of a key is not covered, an earlier one was revoked; otherwise a later JWT would bypass the
  // revocation
  if (own !== undefined && own >= (key?.issuedAt ?? 0)) {
    throw new FleetError('ERR_FLEET_REVOKED', `the key ${publicKey} is revoked in the account JWT`);
  }
  const everyone = revocations[EVERYONE];
  if (everyone !== undefined && isIssuedAhead(everyone, now() / 1000)) {
    throw new FleetError(
      'ERR_FLEET_REVOKED',
      "the account JWT revokes everyone up to a time ahead of this master's clock: nothing can be issued until then",
    );
  }
  return issueAfter(now(), { issuedAt: key?.issuedAt, revoked: everyone });
}

/** The request for the next JWT of a key. */
interface NextJwt {
  publicKey: string;
  /** The key in its record; undefined: it is new. */
  key: PeelKey | undefined;
  requestId: string;
  /** Seconds, 0 = never expires; the master's by default. */
  lifetime?: number | undefined;
}

/** The claims of the next JWT of a key. @throws as {@link nextIssueTime} */
export function nextFacts(
  context: Pick<MasterContext, 'issuer' | 'trust' | 'now' | 'lifetime'>,
  { publicKey, key, requestId, lifetime = context.lifetime }: NextJwt,
): IssuedKey {
  return context.issuer.facts(publicKey, nextIssueTime(context, publicKey, key), lifetime, requestId);
}

/** JWTs for one key. */
interface IssuedJwts {
  /** The peel's. */
  jwt: string;
  /** The JWT of its recovery credential. */
  recovery?: string;
}

/**
 * Recreates the last JWT of a key, and the JWT of a recovery credential for the same key. The latter is omitted if the
 * policy allows no recovery, the JWT does not expire, this master has no key to sign it with, or the one that the peel has
 * will do.
 *
 * @param held the recovery credential that the peel has for this key, as it says
 * @throws FleetError `ERR_FLEET_RECORD` when there was no JWT for this key; `ERR_FLEET_STORE` when another key signed it
 */
export function jwtsOf(
  { issuer, recovery: { window }, trust }: Pick<MasterContext, 'issuer' | 'recovery' | 'trust'>,
  record: PeelRecord,
  publicKey: string,
  held?: HeldRecovery,
): IssuedJwts {
  const key = keyOf(record, publicKey);
  if (key === undefined) {
    throw new FleetError('ERR_FLEET_RECORD', `the record of "${record.id}" lacks the key ${publicKey}`);
  }
  const facts = factsOf(key);
  // the signing key changed during this request: a retry gets a new JWT
  if (!issuer.canSign(facts))
    throw new FleetError('ERR_FLEET_STORE', 'the signing key has changed: try again');
  const jwt = issuer.peelJwt(record.id, facts);
  if (window === 0) return { jwt };
  const outlives = recoveryOutlives(window);
  const count = record.recovery?.count ?? 0;
  const revocations = trust.claims.nats.revocations ?? {};
  const needs = { facts, issuer: issuer.joinIssuer, count, outlives, revocations };
  if (isRecoveryEnough(held, needs)) return { jwt };
  const recovery = issuer.recoveryJwt(record.id, facts, {
    outlives: longestRecovery(window),
    count,
  });
  return { jwt, ...(recovery !== undefined && { recovery }) };
}

function factsOf({ publicKey, issuer, issuedAt, expiresAt }: PeelKey): IssuedKey {
  if (issuer === undefined || issuedAt === undefined) {
    throw new FleetError('ERR_FLEET_RECORD', `no JWT was issued for ${publicKey}`);
  }
  return { publicKey, issuer, issuedAt, ...(expiresAt !== undefined && { expiresAt }) };
}

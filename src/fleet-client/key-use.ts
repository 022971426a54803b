// Counts the credentials that depend on a signing key.
import type { IssuedPeel } from '../trust/issued.js';
import { isRevoked } from '../jwt/chain.js';
import type { JoinToken } from '../protocol/records/join-token.js';
import type { RegisteredJwt } from '../account/revoke.js';
import type { KeyUse } from '../trust/keys/key-removal.js';
import { keyOf, type PeelRecord } from '../protocol/records/record.js';

/** The known credentials of a fleet. */
export interface KnownCredentials {
  records: readonly PeelRecord[];
  tokens: readonly JoinToken[];
  /** The connected users, and the key that signed each JWT. */
  connected: readonly { publicKey: string; issuer: string | undefined; name?: string }[];
  /** Credentials issued from the home. */
  issued: readonly IssuedPeel[];
  revocations: Readonly<Record<string, number>>;
}

/**
 * Counts the valid credentials signed by a peel signing key: in the registry, in the home's list but not in the
 * registry, and among connections.
 *
 * @param now seconds since 1970
 */
export function peelKeyUse(signer: string, known: KnownCredentials, now: number): KeyUse {
  const users = new Set(dependentPeels(signer, known, now).map(({ publicKey }) => publicKey));
  const connected = connectedWith(signer, known);
  for (const publicKey of connected) users.add(publicKey);
  return { valid: users.size, connected: connected.size };
}

/** A key of a peel whose JWT depends on a signing key. */
export interface DependentPeel {
  peelId: string;
  /** `U…`. */
  publicKey: string;
  /** Seconds since 1970. */
  issuedAt: number;
  /** Seconds since 1970; undefined: never. */
  expiresAt: number | undefined;
  /** The peel has since connected with another key: this one is revoked within seconds. */
  isReplaced: boolean;
}

/**
 * The peel keys with a valid JWT from a signing key: in the registry, and in the home's list but not in the
 * registry.
 *
 * @param now seconds since 1970
 */
export function dependentPeels(signer: string, known: KnownCredentials, now: number): DependentPeel[] {
  const { records, issued, revocations } = known;
  const isValid = (publicKey: string, issuedAt: number, expiresAt: number | undefined) =>
    (expiresAt === undefined || expiresAt > now) && !isRevoked(revocations, publicKey, issuedAt);
  const dependent: DependentPeel[] = [];
  const inRegistry = new Set<string>();
  for (const record of records) {
    for (const { publicKey, state, issuer, issuedAt, expiresAt } of record.keys) {
      inRegistry.add(publicKey);
      const isUsable = state === 'issued' || state === 'live' || state === 'retired';
      if (
        isUsable &&
        issuer === signer &&
        issuedAt !== undefined &&
        isValid(publicKey, issuedAt, expiresAt)
      ) {
        const isReplaced = state === 'retired';
        dependent.push({ peelId: record.id, publicKey, issuedAt, expiresAt, isReplaced });
      }
    }
  }
  for (const { peelId, publicKey, issuer, issuedAt, expiresAt } of issued) {
    // keys in the registry have been renewed since, or have expired
    if (issuer !== signer || inRegistry.has(publicKey)) continue;
    if (isValid(publicKey, issuedAt, expiresAt))
      dependent.push({ peelId, publicKey, issuedAt, expiresAt, isReplaced: false });
  }
  return dependent;
}

/**
 * Counts the join tokens that a signing key may have signed: valid tokens created before another key took over.
 *
 * @param until when another key took over, in milliseconds since 1970; undefined: never
 * @param nowMs milliseconds since 1970
 */
export function joinKeyUse(
  signer: string,
  known: KnownCredentials,
  until: number | undefined,
  nowMs: number,
): KeyUse {
  const good = known.tokens.filter(
    ({ removedAt, expiresAt, createdAt, used, uses }) =>
      removedAt === undefined &&
      used < uses &&
      !(Date.parse(expiresAt) <= nowMs) &&
      (until === undefined || !(Date.parse(createdAt) > until)),
  );
  return { valid: good.length, connected: connectedWith(signer, known).size };
}

function connectedWith(signer: string, { connected }: KnownCredentials): Set<string> {
  return new Set(connected.filter(({ issuer }) => issuer === signer).map(({ publicKey }) => publicKey));
}

/** The usable keys of a peel, and the issue time of each last JWT. */
export function usableKeys(record: PeelRecord): RegisteredJwt[] {
  return record.keys.flatMap(({ publicKey, issuedAt }) =>
    keyOf(record, publicKey)?.state === 'revoked' || issuedAt === undefined ? [] : [{ publicKey, issuedAt }],
  );
}

/** The JWTs in the registry: the last one of each usable key of a peel, and of each join token. */
export function registeredJwts(
  records: readonly PeelRecord[],
  tokens: readonly JoinToken[],
): RegisteredJwt[] {
  return [
    ...records.flatMap(usableKeys),
    ...tokens.map(({ publicKey, createdAt }) => ({
      publicKey,
      issuedAt: Number.isNaN(Date.parse(createdAt)) ? undefined : Math.floor(Date.parse(createdAt) / 1000),
    })),
  ];
}

// Decides which keys to revoke, evaluates a push, and finds revocations that are no longer needed.
import { revokeUpTo } from '../../jwt/revoke-up-to.js';
import type { JoinToken } from '../../protocol/records/join-token.js';
import { keyOf, type PeelRecord } from '../../protocol/records/record.js';
import { REVOCATION_KEPT_AFTER_EXPIRY_SECONDS } from '../../timing.js';

/** The revocations by public key: each covers JWTs issued up to this time, in seconds since 1970. */
export interface RevocationWork {
  peels: ReadonlyMap<string, { peelId: string; upTo: number }>;
  /** Refused connections without a record. */
  strangers: ReadonlyMap<string, number>;
  tokens: ReadonlyMap<string, { upTo: number }>;
}

/** All keys of one push; for a duplicate key the latest time counts. */
export function keysToPush({ peels, strangers, tokens }: RevocationWork): Map<string, number> {
  const keys = new Map<string, number>();
  const all = [...[...peels, ...tokens].map(([key, { upTo }]) => [key, upTo] as const), ...strangers];
  for (const [key, upTo] of all) keys.set(key, Math.max(upTo, keys.get(key) ?? 0));
  return keys;
}

/** The time to revoke a join token up to, in seconds; undefined if it needs no revocation (any more). */
export function tokenRevocation(
  { createdAt, expiresAt, removedAt, revokedAt }: JoinToken,
  nowMs: number,
): number | undefined {
  if (removedAt === undefined || revokedAt !== undefined || Date.parse(expiresAt) <= nowMs) return undefined;
  const issuedAt = Math.floor(Date.parse(createdAt) / 1000);
  return revokeUpTo(Math.floor(nowMs / 1000), { issuedAt: [issuedAt], complete: true });
}

/** The result of one push of the account JWT. */
export interface PushOutcome {
  /** Whether every server has the revocations. */
  inForce: boolean;
  /** Whether every reachable server has them. */
  inForceWhereReached: boolean;
  /** The public keys that are still connected. */
  left: ReadonlySet<string>;
}

/**
 * Which keys are done: those of peels and tokens once every server has confirmed and they are disconnected. A
 * stranger's key needs only the servers that can be reached: a returning server takes the account JWT from the others.
 */
export function revokedBy(
  { peels, strangers, tokens }: RevocationWork,
  { inForce, inForceWhereReached, left }: PushOutcome,
): { peels: string[]; strangers: string[]; tokens: string[]; isComplete: boolean } {
  const disconnected = (keys: Iterable<string>) => [...keys].filter((key) => !left.has(key));
  return {
    peels: inForce ? disconnected(peels.keys()) : [],
    tokens: inForce ? disconnected(tokens.keys()) : [],
    strangers: inForceWhereReached ? disconnected(strangers.keys()) : [],
    isComplete: inForce && left.size === 0,
  };
}

/**
 * The revocations of keys whose every JWT has expired. Without removing them, the account JWT would grow with each rotation.
 * A revocation that covers more than its record asks for is another's, such as that of an admin who registered its own key
 * as a peel's: it stays.
 *
 * @param recordOf the record of the peel that has, or had, a key
 * @param nowSeconds since 1970
 */
export function obsoleteRevocations(
  revocations: Readonly<Record<string, number>>,
  recordOf: (publicKey: string) => PeelRecord | undefined,
  tokens: Iterable<JoinToken>,
  nowSeconds: number,
): Set<string> {
  const before = nowSeconds - REVOCATION_KEPT_AFTER_EXPIRY_SECONDS;
  const ofTokens = new Map<string, number>();
  for (const token of tokens)
    if (Date.parse(token.expiresAt) / 1000 < before) ofTokens.set(token.publicKey, coveredBy(token));
  const obsolete = Object.entries(revocations).filter(([publicKey, upTo]) => {
    const record = recordOf(publicKey);
    if (record === undefined) return upTo <= (ofTokens.get(publicKey) ?? -1);
    const key = keyOf(record, publicKey);
    const isOver = key?.state === 'revoked' && key.expiresAt !== undefined && key.expiresAt < before;
    return isOver && upTo <= (key.revokedUpTo ?? Infinity);
  });
  return new Set(obsolete.map(([publicKey]) => publicKey));
}

/** Up to when the removal of a join token revoked its key, in seconds; -1: it was not removed, or not confirmed. */
function coveredBy({ createdAt, removedAt, revokedAt }: JoinToken): number {
  if (removedAt === undefined || revokedAt === undefined) return -1;
  return Math.floor(Math.max(Date.parse(revokedAt), Date.parse(createdAt)) / 1000);
}

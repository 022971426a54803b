// Decides which keys to revoke, evaluates a push, and finds revocations that are no longer needed.
import { revokeUpTo } from '../../jwt/revoke-up-to.js';
import type { JoinToken } from '../../protocol/records/join-token.js';
import { isReplacedByPeel, keyOf, type PeelRecord } from '../../protocol/records/record.js';
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
 * How many locked-out keys stay revoked for as long as their recovery credentials are valid, the last ones: the servers
 * accept some ten thousand revocations in all, and a fleet may lock out a hundred peels a day.
 */
const MAX_LOCKED_OUT = 1_000;
/**
 * And of each peel: its record forgets all but its last eight revoked keys (`forgetOld`), and a revocation whose key no record
 * has is never dropped. Each of these keys was revoked with a push, which drops the earlier ones.
 */
const MAX_LOCKED_OUT_OF_PEEL = 4;

/** What {@link obsoleteRevocations} judges by. */
export interface RevocationFacts {
  /** The record of the peel that has, or had, a key. */
  recordOf: (publicKey: string) => PeelRecord | undefined;
  tokens: Iterable<JoinToken>;
  /** How long a recovery credential may outlive the JWT of its key, in seconds. */
  recoveryOutlives: number;
  /** Since 1970. */
  nowSeconds: number;
}

/**
 * The revocations that are no longer needed, since every JWT of their keys has expired. Without removing them, the account
 * JWT would grow with each rotation.
 *
 * A recovery credential is a JWT of a peel's key, too, and lives for a year. The last {@link MAX_LOCKED_OUT} keys that a
 * decision locked out stay revoked until it has expired, {@link MAX_LOCKED_OUT_OF_PEEL} of a peel. A key that its peel
 * replaced does not: there is one for each rotation, and a recovery with it stops both copies.
 *
 * A revocation that covers more than its record asks for is another's, such as that of an admin who registered its own key
 * as a peel's: it stays.
 */
export function obsoleteRevocations(
  revocations: Readonly<Record<string, number>>,
  { recordOf, tokens, recoveryOutlives, nowSeconds }: RevocationFacts,
): Set<string> {
  const before = nowSeconds - REVOCATION_KEPT_AFTER_EXPIRY_SECONDS;
  const ofTokens = new Map<string, number>();
  for (const token of tokens)
    if (Date.parse(token.expiresAt) / 1000 < before) ofTokens.set(token.publicKey, coveredBy(token));
  const obsolete = new Set<string>();
  const lockedOut: { publicKey: string; upTo: number }[] = [];
  for (const [publicKey, upTo] of Object.entries(revocations)) {
    const record = recordOf(publicKey);
    if (record === undefined) {
      if (upTo <= (ofTokens.get(publicKey) ?? -1)) obsolete.add(publicKey);
      continue;
    }
    const { state, expiresAt = Infinity, revokedUpTo = Infinity } = keyOf(record, publicKey) ?? {};
    if (state !== 'revoked' || expiresAt >= before || upTo > revokedUpTo) continue;
    const mayRecover =
      expiresAt + recoveryOutlives >= before &&
      !isReplacedByPeel(record, publicKey) &&
      isAmongLastRevoked(record, publicKey);
    if (mayRecover) lockedOut.push({ publicKey, upTo });
    else obsolete.add(publicKey);
  }
  lockedOut.sort((a, b) => b.upTo - a.upTo);
  for (const { publicKey } of lockedOut.slice(MAX_LOCKED_OUT)) obsolete.add(publicKey);
  return obsolete;
}

function isAmongLastRevoked({ keys }: PeelRecord, publicKey: string): boolean {
  const revoked = keys.filter(({ state }) => state === 'revoked');
  return revoked.slice(-MAX_LOCKED_OUT_OF_PEEL).some((key) => key.publicKey === publicKey);
}

/** Up to when the removal of a join token revoked its key, in seconds; -1: it was not removed, or not confirmed. */
function coveredBy({ createdAt, removedAt, revokedAt }: JoinToken): number {
  if (removedAt === undefined || revokedAt === undefined) return -1;
  return Math.floor(Math.max(Date.parse(revokedAt), Date.parse(createdAt)) / 1000);
}

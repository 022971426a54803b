// Adds, merges and removes the revocations of an account.
import { JwtError } from '../errors.js';
import { isPublicKey } from '../nkeys/validate.js';
import type { AccountClaims } from './claims.js';
import { quoted } from '../text/quoted.js';
import { LATEST_SECONDS } from './latest-seconds.js';

/** Stands for all users in a revocation, which covers all JWTs issued up to its time. */
export const EVERYONE = '*';

/**
 * Adds revocations. An existing revocation with a later time stays.
 *
 * @param upTo seconds since 1970; JWTs issued up to then are revoked
 */
export function withRevocations(
  claims: AccountClaims,
  publicKeys: Iterable<string>,
  upTo: number,
): AccountClaims {
  return mergeRevocations(claims, Object.fromEntries([...publicKeys].map((key) => [key, upTo])));
}

/** Merges revocations; for duplicate keys, the later time wins. */
export function mergeRevocations(
  claims: AccountClaims,
  more: Readonly<Record<string, number>>,
): AccountClaims {
  const revocations = { ...claims.nats.revocations };
  for (const [key, time] of Object.entries(more)) {
    revocations[key] = Math.max(revocations[key] ?? 0, time);
  }
  return { ...claims, nats: { ...claims.nats, revocations } };
}

/** Removes the revocations selected by `drop`. */
export function withoutRevocations(
  claims: AccountClaims,
  drop: (publicKey: string, upTo: number) => boolean,
): AccountClaims {
  const kept = Object.entries(claims.nats.revocations ?? {}).filter(([key, time]) => !drop(key, time));
  return { ...claims, nats: { ...claims.nats, revocations: Object.fromEntries(kept) } };
}

/**
 * Validates revocations.
 *
 * @throws JwtError `ERR_JWT_OPTIONS`
 */
export function checkedRevocations(revocations: Readonly<Record<string, number>>): Record<string, number> {
  for (const [key, time] of Object.entries(revocations)) {
    checkRevocableKey(key);
    const isTime = (Number.isSafeInteger(time) && time >= 0) || time === LATEST_SECONDS;
    if (isTime) continue;
    throw new JwtError(
      'ERR_JWT_OPTIONS',
      `the revocation of ${key} has the time ${time}: give whole seconds since 1970`,
    );
  }
  return { ...revocations };
}

/** @throws JwtError `ERR_JWT_OPTIONS` if it is neither a user's public key nor `*` */
export function checkRevocableKey(key: string): void {
  if (key === EVERYONE || isPublicKey(key, 'user')) return;
  throw new JwtError(
    'ERR_JWT_OPTIONS',
    `cannot revoke ${quoted(key)}: it is not a user's public key (U…), nor * for all`,
  );
}

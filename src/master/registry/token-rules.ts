// Decides whether a join token may be used, and how its record changes. No clock, no store.
import { FleetError } from '../../errors.js';
import { matchesGlob } from '../../protocol/glob.js';
import { isReservedName } from '../../protocol/is-master.js';
import type { JoinToken } from '../../protocol/records/join-token.js';
import { hasUser, withoutUser, withUser, type TokenUser } from './token-users.js';

/**
 * Checks that a token may be used for a peel. Does not check the remaining uses: a peel that used it before needs
 * none.
 *
 * @throws FleetError `ERR_FLEET_TOKEN_UNKNOWN`, `ERR_FLEET_TOKEN_EXPIRED`, `ERR_FLEET_TOKEN_ID`
 */
export function checkToken(
  token: JoinToken | undefined,
  tokenId: string,
  peelId: string,
  nowMs: number,
): JoinToken {
  if (token === undefined) {
    throw new FleetError('ERR_FLEET_TOKEN_UNKNOWN', `unknown join token ${tokenId}: ask for a new one`);
  }
  if (token.removedAt !== undefined) {
    throw new FleetError(
      'ERR_FLEET_TOKEN_UNKNOWN',
      `the join token ${tokenId} was removed: ask for a new one`,
    );
  }
  if (nowMs >= Date.parse(token.expiresAt)) {
    throw new FleetError(
      'ERR_FLEET_TOKEN_EXPIRED',
      `the join token ${tokenId} expired at ${token.expiresAt}: ask for a new one`,
    );
  }
  if (token.ids !== undefined && !matchesGlob(token.ids, peelId)) {
    throw new FleetError(
      'ERR_FLEET_TOKEN_ID',
      `the join token ${tokenId} is for IDs like "${token.ids}", which "${peelId}" does not match`,
    );
  }
  if (isReservedName(peelId)) {
    throw new FleetError('ERR_FLEET_TOKEN_ID', `"${peelId}" is a reserved name: choose another`);
  }
  return token;
}

/**
 * Counts several uses of a token in one write.
 *
 * @returns the new record, undefined if no use is new; and the outcome of each use, in order
 */
export function countUses<U extends TokenUser>(
  stored: JoinToken | undefined,
  tokenId: string,
  uses: readonly U[],
  nowMs: number,
): {
  token: JoinToken | undefined;
  counted: { use: U; used: number }[];
  refused: { use: U; error: unknown }[];
} {
  let token = stored;
  const counted: { use: U; used: number }[] = [];
  const refused: { use: U; error: unknown }[] = [];
  for (const use of uses) {
    try {
      const next = withUse(checkToken(token, tokenId, use.peelId, nowMs), use);
      if (next === undefined) continue;
      token = next;
      counted.push({ use, used: next.used });
    } catch (error) {
      refused.push({ use, error });
    }
  }
  return { token: counted.length === 0 ? undefined : token, counted, refused };
}

/** @returns undefined if this use was counted before. @throws FleetError `ERR_FLEET_TOKEN_USED_UP` */
function withUse(token: JoinToken, user: TokenUser): JoinToken | undefined {
  if (hasUser(token, user)) return undefined;
  if (token.used >= token.uses) {
    throw new FleetError(
      'ERR_FLEET_TOKEN_USED_UP',
      `the join token ${token.id} is used up (${token.uses} uses): ask for a new one`,
    );
  }
  return { ...token, used: token.used + 1, ...withUser(token, user) };
}

/** The token after a use is returned; undefined if the use was not counted. */
export function withoutUse(token: JoinToken | undefined, user: TokenUser): JoinToken | undefined {
  if (token === undefined || !hasUser(token, user)) return undefined;
  return { ...token, used: token.used - 1, ...withoutUser(token, user) };
}

/** The token after its removal; undefined if there is nothing to remove. */
export function removedToken(token: JoinToken | undefined, nowMs: number): JoinToken | undefined {
  if (token === undefined || token.removedAt !== undefined) return undefined;
  return { ...token, removedAt: new Date(nowMs).toISOString() };
}

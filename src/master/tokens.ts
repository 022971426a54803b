import { FleetError } from '../errors.js';
import { matchesGlob } from '../fleet/glob.js';
import { isReservedName } from '../fleet/is-master.js';
import type { JoinToken } from '../fleet/join-token.js';
import type { MasterContext } from './context.js';

/** Of those that came with a token, how many it names: a token for ten thousand hosts must stay a small record. */
const NAMED = 100;

/**
 * The join token of this id, which may still be used for this peel. How many uses are left is not looked at: who has come
 * with it before needs none.
 *
 * @throws FleetError `ERR_FLEET_TOKEN_UNKNOWN`, `ERR_FLEET_TOKEN_EXPIRED`, `ERR_FLEET_TOKEN_ID`
 */
export async function usableToken(
  { tokens, now }: Pick<MasterContext, 'tokens' | 'now'>,
  tokenId: string,
  peelId: string,
): Promise<JoinToken> {
  const token = tokens.get(tokenId) ?? (await tokens.refresh(tokenId));
  return checkToken(token, tokenId, peelId, now());
}

function checkToken(token: JoinToken | undefined, tokenId: string, peelId: string, nowMs: number): JoinToken {
  if (token === undefined) {
    throw new FleetError('ERR_FLEET_TOKEN_UNKNOWN', `no join token ${tokenId} is known: ask for a new one`);
  }
  if (token.removedAt !== undefined) {
    throw new FleetError(
      'ERR_FLEET_TOKEN_UNKNOWN',
      `the join token ${tokenId} was taken back: ask for a new one`,
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
      `the join token ${tokenId} is for ids like "${token.ids}", and "${peelId}" is none`,
    );
  }
  if (isReservedName(peelId)) {
    throw new FleetError('ERR_FLEET_TOKEN_ID', `"${peelId}" is no peel's name: take another`);
  }
  return token;
}

/**
 * Counts a use of a token by compare-and-set, once for the same peel with the same key.
 *
 * @returns the token now
 * @throws FleetError `ERR_FLEET_TOKEN_USED_UP`, and as {@link usableToken}
 */
export async function useToken(
  context: Pick<MasterContext, 'tokens' | 'audit' | 'now'>,
  tokenId: string,
  peelId: string,
  publicKey: string,
): Promise<void> {
  const { tokens, audit, now } = context;
  const { value, written } = await inTurn(tokenId, () =>
    tokens.change(tokenId, (stored) => {
      const token = checkToken(stored, tokenId, peelId, now());
      if (token.usedBy.some((use) => use.peelId === peelId && use.publicKey === publicKey)) return undefined;
      if (token.used >= token.uses) {
        throw new FleetError(
          'ERR_FLEET_TOKEN_USED_UP',
          `the join token ${tokenId} was good for ${token.uses}, and is used up: ask for a new one`,
        );
      }
      return {
        ...token,
        used: token.used + 1,
        usedBy: [...token.usedBy, { peelId, publicKey }].slice(-NAMED),
      };
    }),
  );
  if (!written || value === undefined) return;
  audit.note({
    kind: 'token.used',
    by: { kind: 'token', name: tokenId, publicKey: value.publicKey },
    peelId,
    publicKey,
    detail: { token: tokenId, used: value.used, uses: value.uses },
  });
}

/** Uses of one token that this master counts one after the other: else a thousand hosts would be in each other's way. */
const turns = new Map<string, Promise<unknown>>();

async function inTurn<T>(tokenId: string, act: () => Promise<T>): Promise<T> {
  const before = turns.get(tokenId) ?? Promise.resolve();
  const mine = before.then(act, act);
  turns.set(tokenId, mine);
  try {
    return await mine;
  } finally {
    if (turns.get(tokenId) === mine) turns.delete(tokenId);
  }
}

// Checks, uses and takes back join tokens.
import { FleetError, ZesterError } from '../../errors.js';
import type { Actor } from '../../protocol/records/actor.js';
import { matchesGlob } from '../../protocol/glob.js';
import { isReservedName } from '../../protocol/is-master.js';
import type { JoinToken } from '../../protocol/records/join-token.js';
import type { MasterContext } from '../context.js';

/** Of those that came with a token, how many it names: a token for ten thousand hosts must stay a small record. */
const NAMED = 200;

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

/** Takes a join token back: it is good for nothing from here on, and who is connected with it is cut. undefined: none is known. */
export async function takeBackToken(
  { tokens, audit, now }: Pick<MasterContext, 'tokens' | 'audit' | 'now'>,
  tokenId: string,
  by: Actor,
  reason?: string,
): Promise<JoinToken | undefined> {
  const { value, written } = await tokens.change(tokenId, (stored) =>
    stored === undefined || stored.removedAt !== undefined
      ? undefined
      : { ...stored, removedAt: new Date(now()).toISOString() },
  );
  if (written && value !== undefined) {
    audit.note({
      kind: 'token.removed',
      by,
      publicKey: value.publicKey,
      ...(reason !== undefined && { reason }),
      detail: { token: tokenId },
    });
  }
  return value;
}

/** What a join token is used for: a peel, with a key. */
export interface TokenUse {
  tokenId: string;
  peelId: string;
  publicKey: string;
}

/** A use that waits to be counted. */
interface Use extends Omit<TokenUse, 'tokenId'> {
  counted: () => void;
  refused: (error: unknown) => void;
}

/** Counts the uses of join tokens, by compare-and-set. */
export class TokenUses {
  readonly #context: Pick<MasterContext, 'tokens' | 'audit' | 'now'>;
  /** By token: what came while the last ones were being written. A thousand hosts that start at once are few writes. */
  readonly #waiting = new Map<string, Use[]>();

  constructor(context: Pick<MasterContext, 'tokens' | 'audit' | 'now'>) {
    this.#context = context;
  }

  /**
   * Counts a use of a token, once for the same peel with the same key.
   *
   * @throws FleetError `ERR_FLEET_TOKEN_USED_UP`, and as {@link usableToken}
   */
  count({ tokenId, peelId, publicKey }: TokenUse): Promise<void> {
    return new Promise((counted, refused) => {
      const use: Use = { peelId, publicKey, counted, refused };
      const waiting = this.#waiting.get(tokenId);
      if (waiting !== undefined) {
        waiting.push(use);
        return;
      }
      this.#waiting.set(tokenId, [use]);
      void this.#write(tokenId);
    });
  }

  /**
   * Does what a counted use is for, and gives the use back when that is refused: somebody else may have got the ID by
   * another way at the same instant.
   */
  async givingBack<T>(use: TokenUse, act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (error) {
      if (error instanceof ZesterError && error.code !== 'ERR_FLEET_STORE') await this.#giveBack(use);
      throw error;
    }
  }

  async #giveBack({ tokenId, peelId, publicKey }: TokenUse): Promise<void> {
    const { tokens, audit } = this.#context;
    const { value, written } = await tokens.change(tokenId, (token) => {
      const isIt = (use: { peelId: string; publicKey: string }) =>
        use.peelId === peelId && use.publicKey === publicKey;
      if (token === undefined || !token.usedBy.some(isIt)) return undefined;
      return { ...token, used: token.used - 1, usedBy: token.usedBy.filter((use) => !isIt(use)) };
    });
    if (!written || value === undefined) return;
    const { id, used, uses } = value;
    audit.note({
      kind: 'token.returned',
      by: { kind: 'token', name: id, publicKey: value.publicKey },
      peelId,
      publicKey,
      detail: { token: id, used, uses },
    });
  }

  async #write(tokenId: string): Promise<void> {
    for (;;) {
      const uses = this.#waiting.get(tokenId) ?? [];
      if (uses.length === 0) {
        this.#waiting.delete(tokenId);
        return;
      }
      this.#waiting.set(tokenId, []);
      await this.#writeTogether(tokenId, uses);
    }
  }

  async #writeTogether(tokenId: string, uses: readonly Use[]): Promise<void> {
    const { tokens, now } = this.#context;
    let counted: { use: Use; used: number }[] = [];
    let refused: { use: Use; error: unknown }[] = [];
    try {
      const { value } = await tokens.change(tokenId, (stored) => {
        // asked again when another master was faster
        counted = [];
        refused = [];
        let token = stored;
        for (const use of uses) {
          try {
            const next = withUse(checkToken(token, tokenId, use.peelId, now()), use);
            if (next === undefined) continue;
            token = next;
            counted.push({ use, used: next.used });
          } catch (error) {
            refused.push({ use, error });
          }
        }
        return counted.length === 0 ? undefined : token;
      });
      for (const { use, error } of refused) use.refused(error);
      for (const { use, used } of counted) if (value !== undefined) this.#note(value, use, used);
      for (const use of uses) use.counted();
    } catch (error) {
      for (const use of uses) use.refused(error);
    }
  }

  #note({ id, publicKey, uses }: JoinToken, use: Use, used: number): void {
    this.#context.audit.note({
      kind: 'token.used',
      by: { kind: 'token', name: id, publicKey },
      peelId: use.peelId,
      publicKey: use.publicKey,
      detail: { token: id, used, uses },
    });
  }
}

/** undefined: it was counted before. @throws FleetError `ERR_FLEET_TOKEN_USED_UP` */
function withUse(token: JoinToken, { peelId, publicKey }: Use): JoinToken | undefined {
  if (token.usedBy.some((use) => use.peelId === peelId && use.publicKey === publicKey)) return undefined;
  if (token.used >= token.uses) {
    throw new FleetError(
      'ERR_FLEET_TOKEN_USED_UP',
      `the join token ${token.id} allowed ${token.uses}, and is used up: ask for a new one`,
    );
  }
  return {
    ...token,
    used: token.used + 1,
    usedBy: [...token.usedBy, { peelId, publicKey }].slice(-NAMED),
  };
}

// Uses and removes join tokens, by compare-and-set.
import { ZesterError } from '../../errors.js';
import type { Actor } from '../../protocol/records/actor.js';
import type { JoinToken } from '../../protocol/records/join-token.js';
import type { AuditLog } from '../audit/audit-log.js';
import { hasKey } from '../../protocol/records/record.js';
import type { KvMirror } from '../store/kv-mirror.js';
import type { Registry } from './registry.js';
import { checkToken, countUses, removedToken, withoutUse } from './token-rules.js';
import type { TokenUser } from './token-users.js';

/** The dependencies of join tokens. */
export interface TokenContext {
  tokens: Pick<KvMirror<JoinToken>, 'get' | 'refresh' | 'change'>;
  registry: Pick<Registry, 'refresh'>;
  audit: Pick<AuditLog, 'note'>;
  now: () => number;
}

/** The join token with this ID, if it may be used for this peel. @throws as {@link checkToken} */
export async function usableToken(
  { tokens, now }: Pick<TokenContext, 'tokens' | 'now'>,
  tokenId: string,
  peelId: string,
): Promise<JoinToken> {
  const token = tokens.get(tokenId) ?? (await tokens.refresh(tokenId));
  return checkToken(token, tokenId, peelId, now());
}

/**
 * Removes a join token: it can no longer be used, and its connections are cut.
 *
 * @returns undefined if there is no such token
 */
export async function removeJoinToken(
  { tokens, audit, now }: Pick<TokenContext, 'tokens' | 'audit' | 'now'>,
  tokenId: string,
  by: Actor,
  reason?: string,
): Promise<JoinToken | undefined> {
  const { value, written } = await tokens.change(tokenId, (stored) => removedToken(stored, now()));
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

/** A use of a join token. */
export interface TokenUse extends TokenUser {
  tokenId: string;
}

/** A use waiting to be counted. */
interface WaitingUse extends TokenUser {
  counted: () => void;
  refused: (error: unknown) => void;
}

/** Counts the uses of join tokens. */
export class TokenUses {
  readonly #context: TokenContext;
  /** Uses that arrived during a write, by token. Coalesced, so a thousand hosts that start at once cost few writes. */
  readonly #waiting = new Map<string, WaitingUse[]>();

  constructor(context: TokenContext) {
    this.#context = context;
  }

  /**
   * Counts a use of a token. Idempotent for the same peel with the same key.
   *
   * @throws FleetError `ERR_FLEET_TOKEN_USED_UP`, and as {@link usableToken}
   */
  count({ tokenId, peelId, publicKey }: TokenUse): Promise<void> {
    return new Promise((counted, refused) => {
      const use: WaitingUse = { peelId, publicKey, counted, refused };
      const waiting = this.#waiting.get(tokenId);
      if (waiting !== undefined) {
        waiting.push(use);
        return;
      }
      this.#waiting.set(tokenId, [use]);
      void this.#writeWaiting(tokenId);
    });
  }

  /**
   * Runs the action that a counted use is for. If the action is refused, returns the use: another key may have taken
   * the ID meanwhile.
   */
  async returnIfRefused<T>(use: TokenUse, act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (error) {
      if (error instanceof ZesterError && error.code !== 'ERR_FLEET_STORE') await this.#returnUse(use);
      throw error;
    }
  }

  async #returnUse(use: TokenUse): Promise<void> {
    const { tokens, registry } = this.#context;
    // another attempt with this key was decided, and used it
    if (hasKey(await registry.refresh(use.peelId), use.publicKey)) return;
    const { value, written } = await tokens.change(use.tokenId, (token) => withoutUse(token, use));
    if (written && value !== undefined) this.#note('token.returned', value, use, value.used);
  }

  async #writeWaiting(tokenId: string): Promise<void> {
    for (;;) {
      const uses = this.#waiting.get(tokenId) ?? [];
      if (uses.length === 0) {
        this.#waiting.delete(tokenId);
        return;
      }
      this.#waiting.set(tokenId, []);
      await this.#write(tokenId, uses);
    }
  }

  async #write(tokenId: string, uses: readonly WaitingUse[]): Promise<void> {
    const { tokens, now } = this.#context;
    let outcome: ReturnType<typeof countUses<WaitingUse>> | undefined;
    try {
      const { value } = await tokens.change(tokenId, (stored) => {
        outcome = countUses(stored, tokenId, uses, now());
        return outcome.token;
      });
      for (const { use, error } of outcome?.refused ?? []) use.refused(error);
      for (const { use, used } of outcome?.counted ?? [])
        if (value !== undefined) this.#note('token.used', value, use, used);
      for (const use of uses) use.counted();
    } catch (error) {
      for (const use of uses) use.refused(error);
    }
  }

  #note(kind: 'token.used' | 'token.returned', token: JoinToken, user: TokenUser, used: number): void {
    const { id, publicKey, uses } = token;
    this.#context.audit.note({
      kind,
      by: { kind: 'token', name: id, publicKey },
      peelId: user.peelId,
      publicKey: user.publicKey,
      detail: { token: id, used, uses },
    });
  }
}

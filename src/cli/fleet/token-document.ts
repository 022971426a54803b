// The JSON document of a join token, and its state.
import type { JoinToken } from '../../protocol/records/join-token.js';
import { actorWords } from './peel-document.js';

/** Whether a join token can still be used, and if not, why. */
export function tokenState(token: JoinToken, now: number): 'open' | 'removed' | 'expired' | 'used up' {
  if (token.removedAt !== undefined) return 'removed';
  if (Date.parse(token.expiresAt) <= now) return 'expired';
  return token.used >= token.uses ? 'used up' : 'open';
}

/** A join token in `--json` output. */
export function tokenDocument(token: JoinToken, now: number): object {
  return {
    id: token.id,
    state: tokenState(token, now),
    publicKey: token.publicKey,
    uses: token.uses,
    used: token.used,
    usedBy: token.usedBy.map(({ peelId }) => peelId),
    ids: token.ids ?? null,
    labels: token.labels ?? {},
    createdAt: token.createdAt,
    createdBy: actorWords(token.createdBy),
    expiresAt: token.expiresAt,
    removedAt: token.removedAt ?? null,
  };
}

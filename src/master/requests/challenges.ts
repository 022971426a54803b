// Issues and verifies join challenges.
import { randomBytes } from 'node:crypto';
import * as v from 'valibot';
import { FleetError } from '../../errors.js';
import { encodeJson, parseJson } from '../../protocol/messages.js';
import { compareAndSet } from '../store/compare-and-set.js';
import { withStoreRetries } from '../store/store-retries.js';
import type { Store } from '../store/store.js';

/** The peel and key that a challenge is for. */
export interface ChallengeFor {
  /** The name of the join token's user. */
  user: string;
  peelId: string;
  publicKey: string;
}

const storedSchema = v.object({
  user: v.string(),
  peelId: v.string(),
  publicKey: v.string(),
  /** The request that used it. */
  usedBy: v.optional(v.string()),
});

const CHALLENGE_BYTES = 32;

/**
 * Issues a random challenge, stored for all masters until it expires (the bucket deletes it) or is used.
 */
export async function issueChallenge({ challenges }: Store, to: ChallengeFor): Promise<string> {
  const challenge = randomBytes(CHALLENGE_BYTES).toString('base64url');
  const { user, peelId, publicKey } = to;
  await withStoreRetries(() => challenges.put(keyOf(challenge), encodeJson({ user, peelId, publicKey })));
  return challenge;
}

/**
 * Redeems a challenge once: if two masters get its answer concurrently, one of them accepts it. A retry of the same
 * request is accepted.
 *
 * @throws FleetError `ERR_FLEET_CHALLENGE`, `ERR_FLEET_STORE`
 */
export async function redeemChallenge(
  { challenges }: Store,
  challenge: string,
  { user, peelId, publicKey }: ChallengeFor,
  requestId: string,
): Promise<void> {
  const stored = await withStoreRetries(() => challenges.get(keyOf(challenge)));
  const parsed = v.safeParse(storedSchema, stored === null ? undefined : parseJson(stored.string()));
  if (stored === null || !parsed.success) throw refused('it was never issued, or has expired');
  const issued = parsed.output;
  if (issued.user !== user || issued.peelId !== peelId || issued.publicKey !== publicKey) {
    throw refused('it was issued to a different caller');
  }
  if (issued.usedBy === requestId) return;
  if (issued.usedBy !== undefined) throw refused('it was already used');
  const answered = encodeJson({ user, peelId, publicKey, usedBy: requestId });
  if ((await compareAndSet(challenges, keyOf(challenge), answered, stored.revision)) === undefined) {
    throw refused('it is being used');
  }
}

function keyOf(challenge: string): string {
  return `challenge.${challenge}`;
}

function refused(why: string): FleetError {
  return new FleetError('ERR_FLEET_CHALLENGE', `the challenge cannot be used: ${why}; request a new one`);
}

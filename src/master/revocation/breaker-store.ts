// Stores the state of the revocation breaker for all masters.
import * as v from 'valibot';
import { encodeJson, parseJson } from '../../protocol/messages.js';
import type { Store } from '../store/store.js';

/** In the bucket whose values expire after five minutes: the master that holds revocations rewrites it before that. */
const KEY = 'breaker.revocations';

const schema = v.object({
  /** False: an admin has resumed. */
  open: v.boolean(),
  /** ISO 8601: when the breaker opened, the same for as long as it is open. */
  since: v.string(),
  /** How many peels are held. */
  held: v.number(),
});

/** The breaker, as every master sees it. */
export type StoredBreaker = v.InferOutput<typeof schema>;

/** @returns undefined if it is closed and was not open recently */
export async function readBreaker({
  challenges,
}: Pick<Store, 'challenges'>): Promise<StoredBreaker | undefined> {
  const entry = await challenges.get(KEY);
  const parsed = v.safeParse(schema, entry?.operation === 'PUT' ? parseJson(entry.string()) : undefined);
  return parsed.success ? parsed.output : undefined;
}

export async function writeBreaker(
  { challenges }: Pick<Store, 'challenges'>,
  breaker: StoredBreaker,
): Promise<void> {
  await challenges.put(KEY, encodeJson(breaker));
}

export async function clearBreaker({ challenges }: Pick<Store, 'challenges'>): Promise<void> {
  await challenges.delete(KEY);
}

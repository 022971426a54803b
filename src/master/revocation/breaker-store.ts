// Stores the state of the revocation breaker for all masters.
import type { KvEntry } from '@nats-io/kv';
import * as v from 'valibot';
import { FleetError } from '../../errors.js';
import { encodeJson, parseJson } from '../../protocol/messages.js';
import { compareAndSet } from '../store/compare-and-set.js';
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
  return breakerIn(await challenges.get(KEY));
}

function breakerIn(entry: KvEntry | null): StoredBreaker | undefined {
  const parsed = v.safeParse(schema, entry?.operation === 'PUT' ? parseJson(entry.string()) : undefined);
  return parsed.success ? parsed.output : undefined;
}

const MAX_ATTEMPTS = 5;

/**
 * Changes the state by compare-and-set: the master that holds revocations and an admin who resumes them write it
 * concurrently.
 *
 * @param change gets the current state, again after another write; undefined: leave it
 * @param isAborted whether to stop waiting for JetStream
 * @returns the new state; undefined: it was left
 * @throws FleetError `ERR_FLEET_STORE`
 */
export async function changeBreaker(
  { challenges }: Pick<Store, 'challenges'>,
  change: (stored: StoredBreaker | undefined) => StoredBreaker | undefined,
  isAborted?: () => boolean,
): Promise<StoredBreaker | undefined> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const entry = await challenges.get(KEY);
    const next = change(breakerIn(entry));
    if (next === undefined) return undefined;
    const revision = entry?.revision ?? 0;
    if ((await compareAndSet(challenges, KEY, encodeJson(next), revision, isAborted)) !== undefined)
      return next;
  }
  throw new FleetError('ERR_FLEET_STORE', 'the state of held revocations has too many writers: try again');
}

export async function clearBreaker({ challenges }: Pick<Store, 'challenges'>): Promise<void> {
  await challenges.delete(KEY);
}

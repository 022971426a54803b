// Decides what a message about presence means to a master that follows.
import type { PresenceChanges } from './messages.js';

/** How far a master has followed another. */
export interface FeedState {
  /** The master that watches, and since when, by its clock (milliseconds since 1970). */
  holder: string;
  since: number;
  /** The number of the last message that was heard. */
  number: number;
  /** Nothing was missed, or everything is being read. */
  isWhole: boolean;
}

/**
 * What follows from a message. Clocks are not compared: those of two masters may differ.
 *
 * @param watching the master that has the lease, as far as is known
 * @returns `isOld`: it is of another master than the one that watches and is followed, and is ignored; `isMissing`:
 *   something was missed, and everything is to be read
 */
export function feedStep(
  state: FeedState | undefined,
  { holder, since, number, peels }: PresenceChanges,
  watching: string | undefined,
): { state: FeedState | undefined; isOld: boolean; isMissing: boolean } {
  if (state?.holder !== holder && watching !== undefined && watching !== holder)
    return { state, isOld: true, isMissing: false };
  if (state?.holder !== holder || state.since !== since)
    return { state: { holder, since, number, isWhole: false }, isOld: false, isMissing: true };
  // one without changes repeats the number of the last one
  const isNext = number === (peels.length === 0 ? state.number : state.number + 1);
  const isWhole = state.isWhole && isNext;
  return {
    state: { ...state, number: Math.max(state.number, number), isWhole },
    isOld: false,
    isMissing: !isWhole,
  };
}

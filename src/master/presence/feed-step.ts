// Decides what a following master does with a presence message.
import type { PresenceChanges } from './messages.js';

/** How far a master has followed the watching one. */
export interface FeedState {
  /** The watching master, and when it took over, by its clock (milliseconds since 1970). */
  holder: string;
  since: number;
  /** The number of the last message received. */
  number: number;
  /** Whether no message was missed, or a full read is in progress. */
  isComplete: boolean;
}

/**
 * The next step after a message. Clocks are not compared: those of two masters may differ.
 *
 * @param watching the master that is known to hold the lease
 * @returns `isIgnored`: the message is not from the current watching master; `hasGap`: a
 *   message was missed, so everything must be read
 */
export function feedStep(
  state: FeedState | undefined,
  { holder, since, number, peels }: PresenceChanges,
  watching: string | undefined,
): { state: FeedState | undefined; isIgnored: boolean; hasGap: boolean } {
  if (state?.holder !== holder && watching !== undefined && watching !== holder)
    return { state, isIgnored: true, hasGap: false };
  if (state?.holder !== holder || state.since !== since)
    return { state: { holder, since, number, isComplete: false }, isIgnored: false, hasGap: true };
  // a message without changes repeats the last number
  const isNext = number === (peels.length === 0 ? state.number : state.number + 1);
  const isComplete = state.isComplete && isNext;
  return {
    state: { ...state, number: Math.max(state.number, number), isComplete },
    isIgnored: false,
    hasGap: !isComplete,
  };
}

// When a master stops revoking by itself: the one place that decides it. No clock, no timers, no NATS.

import { BREAKER_WINDOW_MS } from '../../timing.js';

/** How many healthy peels a master may revoke by itself. */
export interface BreakerLimits {
  /** More than so many peels within the window, and more than `share` of the healthy ones: then it stops. */
  peels: number;
  /** A part of one: 0.02 is 2 %. */
  share: number;
  /** Milliseconds. */
  windowMs: number;
}

export const DEFAULT_BREAKER_LIMITS: BreakerLimits = { peels: 3, share: 0.02, windowMs: BREAKER_WINDOW_MS };

/** What the breaker remembers. */
export interface BreakerState {
  /** Open: nothing healthy is revoked. */
  open: boolean;
  /** The healthy peels that were revoked lately, and when, in milliseconds. */
  revoked: readonly { peelId: string; at: number }[];
}

export const CLOSED: BreakerState = { open: false, revoked: [] };

/** The inputs of the breaker. */
export type BreakerEvent =
  /** These peels are about to be revoked, whose keys the registry knows as live; `healthy`: how many have such a key. */
  | { kind: 'revoking'; peelIds: readonly string[]; healthy: number; at: number }
  /** No held key would be revoked any more. */
  | { kind: 'cause-gone' }
  /** An admin has looked at those that are held, and wants them to be revoked: they do not count again. */
  | { kind: 'resumed' };

/** What to do with the peels that are about to be revoked. */
export type BreakerAct = 'revoke' | 'hold';

/**
 * Decides on one event.
 *
 * @example breakerStep(CLOSED, { kind: 'revoking', peelIds: ['a', 'b', 'c', 'd'], healthy: 10, at: 0 }).act; // 'hold'
 */
export function breakerStep(
  state: BreakerState,
  event: BreakerEvent,
  limits: BreakerLimits = DEFAULT_BREAKER_LIMITS,
): { state: BreakerState; act: BreakerAct } {
  if (event.kind === 'cause-gone') return { state: CLOSED, act: 'hold' };
  if (event.kind === 'resumed') return { state: CLOSED, act: 'revoke' };
  if (state.open) return { state, act: 'hold' };
  const { peelIds, healthy, at } = event;
  const recent = state.revoked.filter((one) => at - one.at < limits.windowMs);
  const peels = new Set([...recent.map(({ peelId }) => peelId), ...peelIds]).size;
  // those that were revoked lately were healthy too
  const all = healthy + new Set(recent.map(({ peelId }) => peelId)).size;
  if (peels > limits.peels && peels > limits.share * all) {
    return { state: { open: true, revoked: recent }, act: 'hold' };
  }
  const revoked = [...recent, ...peelIds.map((peelId) => ({ peelId, at }))];
  return { state: { open: false, revoked }, act: 'revoke' };
}

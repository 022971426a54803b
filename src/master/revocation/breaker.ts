// Decides when a master stops revoking by itself; the only place that does. No clock, no timers, no NATS.

import { BREAKER_WINDOW_MS } from '../../timing.js';

/** How many healthy peels a master may revoke by itself. */
export interface BreakerLimits {
  /** It stops above this many peels and above `share` of the healthy ones within the window. */
  peels: number;
  /** A fraction: 0.02 is 2 %. */
  share: number;
  /** Milliseconds. */
  windowMs: number;
}

export const DEFAULT_BREAKER_LIMITS: BreakerLimits = { peels: 3, share: 0.02, windowMs: BREAKER_WINDOW_MS };

/** The state of the breaker. */
export interface BreakerState {
  /** Open: no healthy peel is revoked. */
  open: boolean;
  /** The recently revoked healthy peels, and when, in milliseconds. */
  revoked: readonly { peelId: string; at: number }[];
}

export const CLOSED: BreakerState = { open: false, revoked: [] };

/** The inputs of the breaker. */
export type BreakerEvent =
  /**
   * These peels, with live keys in the registry, are about to be revoked; `healthy`: the number of peels with a live
   * key.
   */
  | { kind: 'revoking'; peelIds: readonly string[]; healthy: number; at: number }
  /** No held key would be revoked any more. */
  | { kind: 'cause-gone' }
  /** An admin has reviewed the held peels and resumes their revocation: they do not count again. */
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
  // recently revoked peels were healthy too
  const all = healthy + new Set(recent.map(({ peelId }) => peelId)).size;
  if (peels > limits.peels && peels > limits.share * all) {
    return { state: { open: true, revoked: recent }, act: 'hold' };
  }
  const revoked = [...recent, ...peelIds.map((peelId) => ({ peelId, at }))];
  return { state: { open: false, revoked }, act: 'revoke' };
}

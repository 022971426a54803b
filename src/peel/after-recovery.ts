// Decides what follows an attempt to recover: what a starting peel does next, and which event says so.
import { FleetError } from '../errors.js';
import type { PeelEvent } from './events.js';
import type { RecoveryResult } from './recovery-plan.js';

/** Refusals that only a person can change. */
const FINAL: ReadonlySet<string> = new Set(['ERR_FLEET_RECOVERY', 'ERR_FLEET_KEY_UNKNOWN']);

/**
 * What a peel does that could not connect and has tried to recover: `connect` again with the new credentials, `fail` with
 * the master's refusal, which says what to do, `wait` and try again, or `goOn` as after any failed connect.
 *
 * @param cause why it did not recover
 * @param waits whether the peel waits for its first connection
 */
export function afterStartRecovery(
  result: RecoveryResult,
  cause: unknown,
  waits: boolean,
): 'connect' | 'fail' | 'wait' | 'goOn' {
  if (result === 'recovered' || result === 'replaced') return 'connect';
  if (cause instanceof FleetError && FINAL.has(cause.code)) return 'fail';
  return waits && result !== 'unavailable' ? 'wait' : 'goOn';
}

/**
 * The event of an attempt that gave no new credentials; undefined: there is nothing to say.
 *
 * @param cause the error; for `pending`, the fingerprint of the key that an admin has to accept
 */
export function recoveryEvent(
  result: RecoveryResult,
  cause: unknown,
  retryInMs: number,
): PeelEvent | undefined {
  if (result === 'pending') return { type: 'recoveryPending', fingerprint: String(cause), retryInMs };
  if (!(cause instanceof Error)) return undefined;
  return { type: result === 'notExpired' ? 'waiting' : 'recoveryFailed', error: cause, retryInMs };
}

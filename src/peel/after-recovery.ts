// Decides what a starting peel does after a recovery attempt, and which event reports it.
import { FleetError } from '../errors.js';
import type { PeelEvent } from './events.js';
import type { RecoveryResult } from './recovery-plan.js';

/** Refusals that only a person can resolve. */
const FINAL: ReadonlySet<string> = new Set(['ERR_FLEET_RECOVERY', 'ERR_FLEET_KEY_UNKNOWN']);

/**
 * The next step of a peel that could not connect and has tried to recover: `connect` with the new credentials, `fail`
 * with the master's refusal, which says what to do, `wait` and retry, or `goOn` as after any failed connect.
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
 * The event of an attempt that brought no new credentials; undefined: nothing to report.
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

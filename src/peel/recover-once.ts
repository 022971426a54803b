// Attempts once to recover a peel, and puts its new credentials into use.
import type { CredsFile } from '../creds/creds-file.js';
import { FleetError } from '../errors.js';
import { expiryTime } from '../jwt/expiry.js';
import type { PeelEvent } from './events.js';
import type { PeelCredentials } from './peel-credentials.js';
import type { Recovery } from './recovery.js';
import type { RecoveryResult } from './recovery-plan.js';

/** The outcome of an attempt. */
export interface RecoveryAttempt {
  result: RecoveryResult;
  /** The error; for `pending`, the fingerprint of the key that an admin has to accept. */
  cause?: unknown;
}

/** The peel that recovers. */
export interface RecoveringPeel {
  /** undefined: it does not recover by itself. */
  recovery: Pick<Recovery, 'attempt'> | undefined;
  credentials: Pick<PeelCredentials, 'inUse' | 'loadNow' | 'forgetLoaded'>;
  emit: (event: PeelEvent) => void;
}

/**
 * Requests new credentials from a master once, in case the current ones have expired.
 *
 * @throws FleetError that is final
 */
export async function recoverOnce(peel: RecoveringPeel): Promise<RecoveryAttempt> {
  const { recovery, credentials } = peel;
  if (recovery === undefined) return { result: 'unavailable' };
  try {
    const current = credentials.inUse?.current ?? (await credentials.loadNow());
    const outcome = await recovery.attempt(current);
    if (outcome.is === 'pending') return { result: 'pending', cause: outcome.fingerprint };
    if (outcome.is === 'recovered') use(peel, current, outcome);
    if (outcome.is === 'replaced') await credentials.inUse?.refresh();
    credentials.forgetLoaded();
    return { result: outcome.is };
  } catch (error) {
    if (error instanceof FleetError && error.final) throw error;
    return { result: 'failed', cause: error };
  }
}

function use(
  { credentials: { inUse }, emit }: RecoveringPeel,
  before: CredsFile,
  { creds, notWritten }: { creds: CredsFile; notWritten?: unknown },
): void {
  // at the start there is nowhere to keep it: the next attempt requests the same key again
  if (notWritten !== undefined && inUse === undefined) throw notWritten as Error;
  if (notWritten === undefined) inUse?.stored(creds);
  else inUse?.hold(creds);
  emit({
    type: 'recovered',
    publicKey: creds.publicKey,
    replaces: before.publicKey,
    expiresAt: expiryTime(creds.claims),
  });
}

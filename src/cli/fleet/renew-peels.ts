// Makes peels rotate their keys until none depends on the old signing key, or no more progress is made.
import { sleep } from '../../async/sleep.js';
import { ZesterError } from '../../errors.js';
import { liveKey } from '../../protocol/records/record.js';
import { DEPENDENTS_POLL_MS } from '../../timing.js';
import type { ContextOf } from '../command/context.js';
import { retryUntil, type Admin } from './admin.js';
import { rotateWithProgress } from './rotate-with-progress.js';

/** A peel that depends on the signing key. */
export interface Dependent {
  peelId: string;
  /** Whether to wait for it: it is about to become independent of the key. */
  isAwaited: boolean;
}

/**
 * Makes each peel that depends on a signing key rotate its own key, and waits until none depends on it. Stops on
 * interruption. Cost: calls `readDependents` every two seconds.
 *
 * @param readDependents returns the current dependents
 * @returns the remaining dependents, and the peels that rotated
 * @throws FleetError; errors of `readDependents`
 */
export async function renewPeels<T extends Dependent>(
  admin: Admin,
  { limit, timeout }: { limit: number; timeout: number },
  context: Pick<ContextOf<'fleet'>, 'io' | 'output' | 'interruption'>,
  readDependents: () => Promise<T[]>,
): Promise<{ left: T[]; done: ReadonlySet<string> }> {
  const { io, interruption } = context;
  const signal = interruption();
  let left = await readDependents();
  const keys = new Map<string, string | undefined>();
  for (const { peelId } of left) {
    if (signal.aborted) return { left, done: new Set() };
    const show = () => admin.client.ask('peel.show', { peelId, events: 0 });
    try {
      keys.set(peelId, liveKey((await retryUntil(show, io.now() + timeout, io)).record)?.publicKey);
    } catch (error) {
      // issued from the home and never connected: there is no peel to notify
      if (!(error instanceof ZesterError && error.code === 'ERR_FLEET_UNKNOWN_PEEL')) throw error;
    }
  }
  const { done } = await rotateWithProgress(admin, { keys, limit, timeoutMs: timeout, wait: true }, context);
  // a replaced key is revoked once its connection has ended
  const deadline = io.now() + timeout;
  while (!signal.aborted) {
    left = await readDependents();
    if (!left.some(({ isAwaited }) => isAwaited) || io.now() >= deadline) break;
    await sleep(DEPENDENTS_POLL_MS, signal).catch(() => undefined);
  }
  return { left, done };
}

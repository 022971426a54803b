// Follows the presence changes that masters report.
import { sleep } from '../async/sleep.js';
import { withDeadline } from '../async/deadline.js';
import { FleetError } from '../errors.js';
import type { AdminClient } from '../protocol/admin-client.js';
import type { Presence } from '../protocol/records/presence.js';
import { FOLLOW_RETRY_MS, PRESENCE_WATCH_HANDOVER_MS, PRESENCE_WATCH_SILENCE_MS } from '../timing.js';

/** The callbacks of {@link followPresence}. */
export interface FollowPresence {
  /** A change of one peel. It may be delivered twice. */
  onPresence: (peelId: string, presence: Presence) => void;
  /** Called when a watch starts after a failed one: changes in between were missed. Not called at the start. */
  onMissed: () => void;
  /** Called when no master answers. */
  onWait: (error: unknown) => void;
  signal: AbortSignal;
}

/**
 * Delivers presence changes until the signal is aborted. A watch belongs to one master and ends after a while; the next
 * one starts before that, so that no change is missed.
 *
 * @param begun called once, when the first watch has started
 * @throws FleetError `ERR_FLEET_REQUEST`, `ERR_FLEET_DENIED`: the masters are of an earlier version, or the admin is
 *   not authorized
 */
export async function followPresence(
  client: Pick<AdminClient, 'stream'>,
  { onPresence, onMissed, onWait, signal }: FollowPresence,
  begun: () => void,
): Promise<void> {
  let gap = false;
  let failed = 0;
  for (let first = true; !signal.aborted;) {
    const started = () => {
      if (first) begun();
      else if (gap) onMissed();
      first = false;
      gap = false;
      failed = 0;
    };
    try {
      const ended = watchOnce(client, { onPresence, signal }, started);
      ended.catch(() => (gap = true));
      await Promise.race([ended, sleep(PRESENCE_WATCH_HANDOVER_MS, signal)]);
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof FleetError && LASTING.has(error.code)) throw error;
      gap = true;
      onWait(error);
      await sleep(FOLLOW_RETRY_MS[Math.min(failed, FOLLOW_RETRY_MS.length - 1)] ?? 0, signal).catch(
        () => undefined,
      );
      failed += 1;
    }
  }
}

/** Errors that a retry does not fix. */
const LASTING: ReadonlySet<string> = new Set(['ERR_FLEET_REQUEST', 'ERR_FLEET_DENIED']);

/** @throws errors of the request; FleetError `ERR_FLEET_TIMEOUT` when the master falls silent */
async function watchOnce(
  client: Pick<AdminClient, 'stream'>,
  { onPresence, signal }: Pick<FollowPresence, 'onPresence' | 'signal'>,
  started: () => void,
): Promise<void> {
  const parts = client.stream('presence.watch', {}, { signal });
  for (let count = 0; ; count += 1) {
    const part = await withDeadline(parts.next(), Date.now() + PRESENCE_WATCH_SILENCE_MS);
    if (part === undefined)
      throw new FleetError('ERR_FLEET_TIMEOUT', 'the master stopped reporting presence');
    if (part.done === true) return;
    if (count === 0) started();
    for (const { id, presence } of part.value.peels) onPresence(id, presence);
  }
}

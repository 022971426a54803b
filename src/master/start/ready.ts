// Waits until a master that has started is healthy.
import { sleep } from '../../async/sleep.js';
import { ConnectError, FleetError } from '../../errors.js';
import { READY_POLL_MS } from '../../timing.js';
import type { Master } from '../master.js';

/** The limits of {@link waitUntilReady}. */
export interface ReadyOptions {
  timeoutMs: number;
  signal?: AbortSignal | undefined;
}

/**
 * Resolves when a master is healthy: its connections are up, and it or another master follows the servers' events.
 *
 * @throws FleetError `ERR_FLEET_NOT_READY` with the problems, after the timeout; the reason why the master stopped
 *   meanwhile; the signal's reason
 */
export async function waitUntilReady(
  master: Pick<Master, 'health' | 'closed' | 'endedBy'>,
  { timeoutMs, signal }: ReadyOptions,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  let isClosed = false;
  void master.closed.then(() => (isClosed = true));
  for (;;) {
    signal?.throwIfAborted();
    const { ok, problems } = master.health();
    if (ok) return;
    if (isClosed) throw stopReasonOf(master);
    if (performance.now() >= deadline) {
      throw new FleetError(
        'ERR_FLEET_NOT_READY',
        `the master is not ready after ${timeoutMs / 1000} s: ${problems.join('; ')}`,
      );
    }
    await sleep(READY_POLL_MS, signal);
  }
}

function stopReasonOf({ endedBy }: Pick<Master, 'endedBy'>): Error {
  return (
    endedBy ??
    new ConnectError('ERR_CONNECT_UNREACHABLE', "the master's connection was closed permanently; see its log")
  );
}

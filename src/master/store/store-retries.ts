// Retries JetStream operations while a stream elects its leader or a connection is down.
import { errors } from '@nats-io/nats-core';
import { sleepUnref } from '../../async/sleep.js';
import { FleetError } from '../../errors.js';
import { errorMessage } from '../../text/error-message.js';
import { MIRROR_FIRST_RETRY_MS, MIRROR_MAX_RETRY_MS, STORE_RETRIES_TIMEOUT_MS } from '../../timing.js';
import { isStorageFull, storeFailureOf } from './store-failure.js';

/**
 * Retries an action for a while: leader elections and lost connections are transient.
 *
 * @param act may run several times; its FleetErrors are thrown at once
 * @param isAborted whether to stop waiting
 * @throws FleetError `ERR_FLEET_STORE`
 */
export async function withStoreRetries<R>(
  act: () => Promise<R>,
  isAborted: () => boolean = () => false,
): Promise<R> {
  const deadline = Date.now() + STORE_RETRIES_TIMEOUT_MS;
  for (let wait = MIRROR_FIRST_RETRY_MS; ; wait = Math.min(MIRROR_MAX_RETRY_MS, wait * 2)) {
    try {
      return await act();
    } catch (cause) {
      if (isStorageFull(cause)) throw storeFailureOf(cause);
      if (cause instanceof FleetError) throw cause;
      // our connections reconnect by themselves, so a closed one is closed permanently
      if (isAborted() || cause instanceof errors.ClosedConnectionError || Date.now() > deadline) {
        throw new FleetError('ERR_FLEET_STORE', `JetStream read or write failed: ${errorMessage(cause)}`, {
          cause,
        });
      }
      await sleepUnref(wait);
    }
  }
}

// Writes one value by compare-and-set, with retries.
import type { KV } from '@nats-io/kv';
import { JETSTREAM_TIMEOUT_MS } from '../../timing.js';
import { withStoreRetries } from './store-retries.js';
import { isWriteConflict } from './write-conflict.js';

/**
 * Writes a value unless it changed concurrently; retries while a stream elects its leader or the connection is down.
 *
 * @param data must differ from any other writer's data, so that a write whose answer was lost is recognized
 * @param previousSeq the revision that is replaced; 0 = there is none
 * @param isAborted whether to stop waiting
 * @returns the new revision; undefined: a concurrent write
 * @throws FleetError `ERR_FLEET_STORE`
 */
export async function compareAndSet(
  bucket: Pick<KV, 'get' | 'put'>,
  key: string,
  data: Uint8Array,
  previousSeq: number,
  isAborted?: () => boolean,
): Promise<number | undefined> {
  let mayBeWritten = false;
  return withStoreRetries(async () => {
    try {
      return await bucket.put(key, data, { previousSeq, timeout: JETSTREAM_TIMEOUT_MS });
    } catch (error) {
      if (isWriteConflict(error)) {
        // an earlier attempt may have succeeded although its answer was lost
        const entry = mayBeWritten ? await bucket.get(key) : null;
        return entry !== null && Buffer.compare(entry.value, data) === 0 ? entry.revision : undefined;
      }
      mayBeWritten = true;
      throw error;
    }
  }, isAborted);
}

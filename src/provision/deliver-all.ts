// Delivers credentials to a sink concurrently.
import { BulkError } from '../errors.js';
import type { CredentialSink } from './sinks/sink.js';
import type { DeliveryEvents } from './delivery.js';
import type { PeelCredential } from './issue-batch.js';

/**
 * Delivers credentials to a sink with the sink's concurrency, and wipes each one afterwards. If the sink cannot
 * continue (a full disk), waits for deliveries in progress and throws.
 *
 * @param signal stops early: deliveries in progress are completed, no new ones start
 * @throws errors of the source and the sink, except `ERR_BULK_DELIVERY`
 */
export async function deliverAll(
  source: AsyncIterable<PeelCredential>,
  sink: CredentialSink,
  events: DeliveryEvents,
  signal?: AbortSignal,
): Promise<void> {
  const underWay = new Set<Promise<void>>();
  let broken: { error: unknown } | undefined;
  const deliver = async (credential: PeelCredential) => {
    try {
      await sink.deliver(credential);
      await events.delivered([credential.peelId]);
    } catch (error) {
      if (error instanceof BulkError && error.code === 'ERR_BULK_DELIVERY')
        events.failed(credential.peelId, error);
      else broken ??= { error };
    } finally {
      credential.content.fill(0);
    }
  };
  try {
    for await (const credential of source) {
      if (signal?.aborted === true) {
        credential.content.fill(0);
        break;
      }
      const delivery = deliver(credential).finally(() => underWay.delete(delivery));
      underWay.add(delivery);
      if (underWay.size >= sink.concurrency) await Promise.race(underWay);
      if (broken !== undefined) break;
    }
  } finally {
    await Promise.all(underWay);
  }
  if (broken !== undefined) throw broken.error;
}

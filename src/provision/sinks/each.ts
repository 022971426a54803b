// Delivers credentials one by one to a sink.
import { deliverAll } from '../deliver-all.js';
import type { Delivery, Issuer } from '../delivery.js';
import type { PeelCredential } from '../issue-batch.js';
import { handOver } from '../issue-peel-credentials.js';
import type { CredentialSink } from './sink.js';

/**
 * Delivers credentials one by one to a sink.
 *
 * @param signal stops early: deliveries in progress are completed, no new ones start
 */
export function eachDelivery(sink: CredentialSink, signal: AbortSignal): Delivery {
  return {
    run: (issue, ids, events) => deliverAll(credentialsOf(issue, ids), sink, events, signal),
    ...(sink.finish && { finish: sink.finish.bind(sink) }),
    ...(sink.abort && { abort: sink.abort.bind(sink) }),
  };
}

async function* credentialsOf(issue: Issuer, ids: AsyncIterable<string>): AsyncIterable<PeelCredential> {
  for await (const { result } of issue<'credentials'>(ids, { kind: 'credentials' })) yield* handOver(result);
}

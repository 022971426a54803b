// Loads an account on each server of a cluster, so that its first JetStream request succeeds.
import { jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import { TEST_CLUSTER_TIMEOUT_MS } from '../timing.js';
import { waitFor } from './wait-for.js';

/**
 * Resolves when every server has loaded an account with its JetStream.
 *
 * A server loads an account on first use, and enables its JetStream a moment later. In between, a leader that learns of
 * the account from another server's request answers that JetStream is not enabled for it (10039).
 *
 * @param connect connects to one server as a user of the account who may send `$JS.API.INFO`
 */
export async function loadAccount(
  urls: readonly string[],
  connect: (url: string) => Promise<NatsConnection>,
): Promise<void> {
  const connections: NatsConnection[] = [];
  try {
    for (const url of urls) connections.push(await connect(url));
    const [nc] = connections;
    if (nc === undefined) return;
    // any leader has the account now
    await waitFor('JetStream of the account', () => jetstreamManager(nc), TEST_CLUSTER_TIMEOUT_MS);
  } finally {
    await Promise.all(connections.map((nc) => nc.close()));
  }
}

// Drains a connection, or closes it if it cannot be drained.
import type { NatsConnection } from '@nats-io/transport-node';

export async function drained(nc: NatsConnection): Promise<void> {
  if (nc.isClosed()) return;
  await nc.drain().catch(() => nc.close());
}

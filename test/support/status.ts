import type { NatsConnection, Status } from '@nats-io/transport-node';

/** Resolves with the next status of a type; call it before triggering the status. */
export async function nextStatus<T extends Status['type']>(
  nc: NatsConnection,
  type: T,
): Promise<Extract<Status, { type: T }>> {
  for await (const status of nc.status()) {
    if (status.type === type) return status as Extract<Status, { type: T }>;
  }
  throw new Error(`the connection closed without the status ${type}`);
}

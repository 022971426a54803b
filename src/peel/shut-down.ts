// Shuts a peel down: running commands end, published messages are sent, and the connection is closed.
import type { NatsConnection, Subscription } from '@nats-io/nats-core';
import { withDeadline } from '../async/deadline.js';
import type { Handlers } from './handlers.js';

/** What is shut down. */
export interface ShutDownOptions {
  nc: Pick<NatsConnection, 'isClosed' | 'drain' | 'close'>;
  subscriptions: readonly Pick<Subscription, 'drain'>[];
  handlers: Pick<Handlers, 'whenIdle' | 'end'>;
  /** Resolves when a write of credentials that is in progress has ended. */
  written: Promise<void> | undefined;
  /** How long running commands are waited for, in milliseconds. */
  waitMs: number;
  /** Whether the same limit is valid for sending what is buffered. */
  isDrainLimited: boolean;
}

/** Shuts down. @returns why the connection was not drained */
export async function shutDown(options: ShutDownOptions): Promise<Error | undefined> {
  const { nc, subscriptions, handlers, written, waitMs, isDrainLimited } = options;
  const deadline = Date.now() + waitMs;
  // a draining subscription still delivers messages that the server has already sent
  const stopped = subscriptions.map((subscription) => subscription.drain().catch(() => undefined));
  await withDeadline(Promise.all(stopped), deadline);
  await withDeadline(handlers.whenIdle(), deadline);
  await written;
  handlers.end();
  if (nc.isClosed()) return undefined;
  let failure: Error | undefined;
  const draining = nc.drain().catch((error: unknown) => {
    if (error instanceof Error) failure = error;
  });
  await (isDrainLimited ? withDeadline(draining, deadline) : draining);
  await nc.close();
  return failure;
}

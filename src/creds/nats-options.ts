// The type of the client's connect options.
import type { NodeConnectionOptions } from '@nats-io/transport-node';

/** What `connect()` of @nats-io/transport-node takes; options of Zester are parts of it, to be spread. */
export type NatsOptions = NodeConnectionOptions;

// The type of the client's connect options.
import type { NodeConnectionOptions } from '@nats-io/transport-node';

/** The options of `connect()` of @nats-io/transport-node; Zester's options are parts of them, to be spread. */
export type NatsOptions = NodeConnectionOptions;

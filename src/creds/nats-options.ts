// The type of the client's connect options.
import type { NodeConnectionOptions } from '@nats-io/transport-node';

/** The options of `connect()` of @nats-io/transport-node, into which Zester's options are spread. */
export type NatsOptions = NodeConnectionOptions;

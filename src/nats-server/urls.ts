// The default cluster port.

/** The port of a nats-server for the other servers of its cluster, by default. */
export const CLUSTER_PORT = 6222;

// The default cluster port.

/** The port of a nats-server for the other servers of its cluster, unless said otherwise. */
export const CLUSTER_PORT = 6222;

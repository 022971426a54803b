// The number of replicas of the registry and the audit log.

/** The allowed numbers. An even number survives no more failures than one replica less. */
export const REPLICAS = [1, 3, 5] as const;

/** The default. */
export const DEFAULT_REPLICAS = { clustered: 3, single: 1 } as const;

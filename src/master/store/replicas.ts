// The number of replicas of the registry and the audit log.

/** The choices: with an even number, a cluster survives no more failures than with one copy less. */
export const REPLICAS = [1, 3, 5] as const;

/** The default. */
export const DEFAULT_REPLICAS = { clustered: 3, single: 1 } as const;

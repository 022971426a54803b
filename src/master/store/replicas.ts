// How many copies of the registry and the audit log a fleet keeps.

/** The choices: with an even number, a cluster survives no more failures than with one copy less. */
export const REPLICAS = [1, 3, 5] as const;

/** Unless an option or setting says otherwise. */
export const DEFAULT_REPLICAS = { clustered: 3, single: 1 } as const;

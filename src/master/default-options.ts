// The defaults of a master's options. The command's settings have the same ones.
import type { AcceptancePolicy } from './requests/policy.js';

/** How new peels are accepted. */
export const DEFAULT_POLICY = 'manual' satisfies AcceptancePolicy;
/** The lifetime of a peel's credential: one day. */
export const DEFAULT_LIFETIME_SECONDS = 86_400;
/** How long after its credential expired a peel may recover by itself. */
export const DEFAULT_RECOVERY_SECONDS = 30 * 86_400;
/** How often a peel may recover by itself within 30 days: once a day. */
export const DEFAULT_RECOVERY_LIMIT = 30;

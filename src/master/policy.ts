/**
 * Who accepts a peel that no admin issued.
 *
 * - `manual`: an admin, each one.
 * - `auto-trusted`: whoever has a join token, or connects with a credential signed by a peel signing key of ours.
 * - `auto-all`: everyone whose chain holds. For development.
 */
export const POLICIES = ['manual', 'auto-trusted', 'auto-all'] as const;
export type AcceptancePolicy = (typeof POLICIES)[number];

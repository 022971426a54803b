// The acceptance policies: which new peels are accepted.

/**
 * Who accepts a peel that no admin issued.
 *
 * - `manual`: an admin, each one.
 * - `auto-trusted`: a peel with a join token, or with a credential signed by one of our peel signing keys.
 * - `auto-all`: everyone whose chain holds. For development.
 */
export const POLICIES = ['manual', 'auto-trusted', 'auto-all'] as const;
export type AcceptancePolicy = (typeof POLICIES)[number];

/** What is known of a peel that no admin issued, when it asks to join or connects. */
export interface Newcomer {
  /** A join token or a peel signing key of ours vouches for it. */
  trusted: boolean;
  /** The ID was rejected, revoked or issued to another key before: it comes back by somebody's decision. */
  returning: boolean;
}

/**
 * Whether the policy accepts a peel, without an admin.
 *
 * @example acceptedByPolicy('auto-trusted', { trusted: true, returning: false }); // true
 */
export function acceptedByPolicy(policy: AcceptancePolicy, { trusted, returning }: Newcomer): boolean {
  switch (policy) {
    case 'manual':
      return false;
    case 'auto-trusted':
      return trusted && !returning;
    case 'auto-all':
      return true;
  }
}

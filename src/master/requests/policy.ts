// The acceptance policies: which new peels are accepted.
import type { Labels } from '../../protocol/records/labels.js';

/** The named acceptance policies: see {@link AcceptancePolicy}. */
export const POLICIES = ['manual', 'auto-trusted', 'auto-all'] as const;

/**
 * How peels that no admin issued are accepted.
 *
 * - `manual`: an admin accepts each one.
 * - `auto-trusted`: a peel with a join token, or with a credential signed by one of the account's peel signing keys, is accepted.
 * - `auto-all`: any peel whose chain is valid is accepted. For development.
 */
export type AcceptancePolicy = (typeof POLICIES)[number];

/** The facts about a peel that no admin added, when it joins or connects. */
export interface Newcomer {
  /** A join token or one of our peel signing keys vouches for it. */
  readonly trusted: boolean;
  /** The ID was rejected, revoked or bound to another key before: only a decision can admit it again. */
  readonly returning: boolean;
}

/** The input of a {@link PolicyFunction}: a peel that no admin added. Its key is proven; its ID is only a claim. */
export interface JoinRequest extends Newcomer {
  readonly peelId: string;
  /** `U…`. The peel has proven that it has the key. */
  readonly publicKey: string;
  /** The fingerprint of the key, as `zester peel join` shows it on the host. */
  readonly fingerprint: string;
  /** `token`: it joins with a join token. `connection`: it connected with credentials that no master issued. */
  readonly how: 'token' | 'connection';
  /** The join token, the pattern of IDs that it is for, and the labels that it gives. */
  readonly token?: { readonly id: string; readonly ids?: string; readonly labels?: Labels };
  /** The address it connects from, according to its server. Unknown for a peel that joins with a token. */
  readonly from?: string;
}

/** `accept`: it gets a JWT. `reject`: its key is refused permanently. `pending`: it waits for an admin. */
export type PolicyDecision = 'accept' | 'reject' | 'pending';
export const POLICY_DECISIONS: readonly PolicyDecision[] = ['accept', 'reject', 'pending'];

/**
 * A custom policy: a function that takes a {@link JoinRequest} and returns a {@link PolicyDecision}, or a promise of
 * one. `signal` is aborted when the decision is no longer needed.
 *
 * @example
 * import type { PolicyFunction } from 'zester/master';
 *
 * export const policy: PolicyFunction = async ({ peelId, trusted }, { signal }) => {
 *   const { ok } = await fetch(`https://inventory.example/${peelId}`, { signal });
 *   return ok && trusted ? 'accept' : 'pending';
 * };
 */
export type PolicyFunction = DecisionCallback<
  [request: JoinRequest, options: { signal: AbortSignal }],
  PolicyDecision
>;

/**
 * `(...args) => Decision | Promise<Decision>`, in a form that also accepts `async () => 'accept'`. With the plain type,
 * TypeScript (5.9 to 7) infers `Promise<string>` for a single literal, since it does not look for the literal in a union
 * with a promise. Here, it infers the result from the last function type and ignores the first, which has two
 * signatures; a callback may have either type.
 */
export type DecisionCallback<Args extends unknown[], Decision extends string> =
  | {
      (...args: Args): Decision | Promise<Decision>;
      <Same extends Args>(...args: Same): Decision | Promise<Decision>;
    }
  | ((...args: Args) => (Decision & Promise<Decision>) | Promise<Decision>);

/** The name of a policy function in the audit log and in `status`. */
export const CUSTOM_POLICY = 'custom';

/**
 * The decision of a named policy about a peel.
 *
 * @example decisionOf('auto-trusted', { trusted: true, returning: false }); // 'accept'
 */
export function decisionOf(policy: AcceptancePolicy, { trusted, returning }: Newcomer): PolicyDecision {
  switch (policy) {
    case 'manual':
      return 'pending';
    case 'auto-trusted':
      return trusted && !returning ? 'accept' : 'pending';
    case 'auto-all':
      return 'accept';
  }
}

/** Whether a {@link PolicyFunction} returned a decision. Anything else decides nothing: the peel stays pending. */
export function isPolicyDecision(answer: unknown): answer is PolicyDecision {
  return POLICY_DECISIONS.some((decision) => decision === answer);
}

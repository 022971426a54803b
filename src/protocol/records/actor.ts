// The actor of an event: who decided or asked.
import * as v from 'valibot';

/** Who decided or asked. */
export interface Actor {
  kind: 'admin' | 'master' | 'peel' | 'token' | 'policy' | 'unknown';
  /** The name in its JWT, if it proved that the JWT is its own; of a policy, the policy's name. */
  name: string;
  /** The public key (`U…`) in that JWT. */
  publicKey?: string | undefined;
}

export const actorSchema = v.object({
  kind: v.picklist(['admin', 'master', 'peel', 'token', 'policy', 'unknown']),
  name: v.string(),
  publicKey: v.optional(v.string()),
});

// The actor of an event: who decided or asked.
import * as v from 'valibot';

/** Who decided or asked. `name` is of its JWT, where it proved it; of a policy, the policy's. */
export const actorSchema = v.object({
  kind: v.picklist(['admin', 'master', 'peel', 'token', 'policy', 'unknown']),
  name: v.string(),
  publicKey: v.optional(v.string()),
});

export type Actor = v.InferOutput<typeof actorSchema>;

// The actor of an event: who decided or requested it.
import * as v from 'valibot';
import { keeping } from './keeping.js';

/** Who decided or requested it. */
export interface Actor {
  kind: 'admin' | 'master' | 'peel' | 'token' | 'policy' | 'unknown';
  /** The name in its JWT, if it proved that the JWT is its own; of a policy, the policy's name. */
  name: string;
  /** The public key (`U…`) in that JWT. */
  publicKey?: string | undefined;
  /** The name of an added admin (docs/admins.md). */
  role?: string | undefined;
}

// nothing is decided by `kind`: one that only a newer version knows is kept and shown, like its other fields
export const actorSchema = keeping({
  kind: v.string() as unknown as v.GenericSchema<Actor['kind']>,
  name: v.string(),
  publicKey: v.optional(v.string()),
  role: v.optional(v.string()),
});

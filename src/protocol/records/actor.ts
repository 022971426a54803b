// The actor of an event.
import * as v from 'valibot';
import { openObject } from './open-object.js';

/** The party that made a decision or a request. */
export interface Actor {
  kind: 'admin' | 'master' | 'peel' | 'token' | 'policy' | 'unknown';
  /** The name in its JWT, if it proved possession of the key; the policy's name for a policy. */
  name: string;
  /** The public key (`U…`) in that JWT. */
  publicKey?: string | undefined;
  /** The name of an added admin (docs/admins.md). */
  role?: string | undefined;
}

// no decision depends on `kind`: a kind from a newer version is kept and shown, like unknown fields
export const actorSchema = openObject({
  kind: v.string() as unknown as v.GenericSchema<Actor['kind']>,
  name: v.string(),
  publicKey: v.optional(v.string()),
  role: v.optional(v.string()),
});

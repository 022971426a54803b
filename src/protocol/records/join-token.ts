// The record of a join token.
import * as v from 'valibot';
import { actorSchema } from './actor.js';

/**
 * What masters know of a join token: the value of its id in the bucket `zester-fleet`. The token itself is a
 * `.creds` file, whose seed they never see.
 */
export const tokenSchema = v.object({
  id: v.string(),
  /** `U…`, of the token's user. */
  publicKey: v.string(),
  /** The signing key (`A…`) of the master that signed it; absent: an earlier version did. */
  issuer: v.optional(v.string()),
  /** ISO 8601. */
  createdAt: v.string(),
  expiresAt: v.string(),
  createdBy: actorSchema,
  /** How many peels may join with it. */
  uses: v.number(),
  /** How many have joined with it. The same peel with the same key counts once. */
  used: v.number(),
  /** The last peel that joined with it. */
  usedBy: v.array(v.object({ peelId: v.string(), publicKey: v.string() })),
  /** A glob that the id must match; absent: any id. */
  ids: v.optional(v.string()),
  /** ISO 8601: when it was removed. */
  removedAt: v.optional(v.string()),
  /** ISO 8601: every server had its revocation, and nobody was connected with it. */
  revokedAt: v.optional(v.string()),
});

export type JoinToken = v.InferOutput<typeof tokenSchema>;

// The record of a join token.
import * as v from 'valibot';
import { actorSchema, type Actor } from './actor.js';
import { keeping } from './keeping.js';
import { storedLabelsSchema, type Labels } from './labels.js';

/** What masters know of a join token. The token itself is a `.creds` file, whose seed they never see. */
export interface JoinToken {
  id: string;
  /** The public key of the token's user (`U…`). */
  publicKey: string;
  /** The signing key (`A…`) of the master that signed it; absent: an earlier version did. */
  issuer?: string | undefined;
  /** ISO 8601. */
  createdAt: string;
  /** ISO 8601. */
  expiresAt: string;
  createdBy: Actor;
  /** How many peels may join with it. */
  uses: number;
  /** How many have joined with it. The same peel with the same key counts once. */
  used: number;
  /** The last peels that joined with it. */
  usedBy: { peelId: string; publicKey: string }[];
  /** A glob that the peel ID must match; absent: any ID. */
  ids?: string | undefined;
  /** The labels of peels that join with it; absent: none. */
  labels?: Labels | undefined;
  /** ISO 8601: when it was removed. */
  removedAt?: string | undefined;
  /** ISO 8601: when every server had its revocation, and nobody was connected with it. */
  revokedAt?: string | undefined;
}

/** The value of a token's ID in the bucket `zester-fleet`. */
export const tokenSchema = keeping({
  id: v.string(),
  publicKey: v.string(),
  issuer: v.optional(v.string()),
  createdAt: v.string(),
  expiresAt: v.string(),
  createdBy: actorSchema,
  uses: v.number(),
  used: v.number(),
  usedBy: v.array(keeping({ peelId: v.string(), publicKey: v.string() })),
  ids: v.optional(v.string()),
  labels: v.optional(storedLabelsSchema),
  removedAt: v.optional(v.string()),
  revokedAt: v.optional(v.string()),
});

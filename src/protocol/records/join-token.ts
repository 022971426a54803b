// The record of a join token.
import * as v from 'valibot';
import { actorSchema, type Actor } from './actor.js';
import { openObject } from './open-object.js';
import { storedLabelsSchema, type Labels } from './labels.js';

/** A join token as masters know it. The token itself is a `.creds` file, whose seed they never see. */
export interface JoinToken {
  id: string;
  /** The public key of the token's user (`U…`). */
  publicKey: string;
  /** The key (`A…`) that signed it; absent: created by an earlier version. */
  issuer?: string | undefined;
  /** ISO 8601. */
  createdAt: string;
  /** ISO 8601. */
  expiresAt: string;
  createdBy: Actor;
  /** The number of peels that may join with it. */
  uses: number;
  /** The number of peels that have joined with it. The same peel with the same key counts once. */
  used: number;
  /** The last peels that joined with it. */
  usedBy: { peelId: string; publicKey: string }[];
  /** Marks of the peels that joined before those: a part of a hash of each. For masters only. */
  usedBefore?: string | undefined;
  /** A glob that the peel ID must match; absent: any ID. */
  ids?: string | undefined;
  /** The labels of peels that join with it; absent: none. */
  labels?: Labels | undefined;
  /** ISO 8601: when it was removed. */
  removedAt?: string | undefined;
  /** ISO 8601: when every server had its revocation, and no connection used it. */
  revokedAt?: string | undefined;
}

/** The value stored under a token's ID in the bucket `zester-fleet`. */
export const tokenSchema = openObject({
  id: v.string(),
  publicKey: v.string(),
  issuer: v.optional(v.string()),
  createdAt: v.string(),
  expiresAt: v.string(),
  createdBy: actorSchema,
  uses: v.number(),
  used: v.number(),
  usedBy: v.array(openObject({ peelId: v.string(), publicKey: v.string() })),
  usedBefore: v.optional(v.string()),
  ids: v.optional(v.string()),
  labels: v.optional(storedLabelsSchema),
  removedAt: v.optional(v.string()),
  revokedAt: v.optional(v.string()),
});

// The record of a peel: its state and its keys.
import * as v from 'valibot';
import { keeping } from './keeping.js';
import { FleetError } from '../../errors.js';
import { PEEL_ID } from '../../permissions/peel-id.js';
import { actorSchema, type Actor } from './actor.js';
import { storedLabelsSchema, type Labels } from './labels.js';

/** `pending → accepted → active`, `pending → rejected`, any of them `→ revoked` (docs/design.md, "The fleet"). */
export type PeelState = 'pending' | 'accepted' | 'active' | 'rejected' | 'revoked';
export const PEEL_STATES = ['pending', 'accepted', 'active', 'rejected', 'revoked'] as const;

/**
 * - `requested`: the peel asked to join with it; no JWT was issued.
 * - `issued`: a JWT was issued, and it has not connected yet.
 * - `live`: it has connected.
 * - `retired`: another key took its place; it will be revoked.
 * - `revoking`: it was decided to revoke it, and not every server has confirmed.
 * - `revoked`: every server has.
 */
export type PeelKeyState = 'requested' | 'issued' | 'live' | 'retired' | 'revoking' | 'revoked';
export const KEY_STATES = ['requested', 'issued', 'live', 'retired', 'revoking', 'revoked'] as const;

/** One key that a peel has held. */
export interface PeelKey {
  /** The public key (`U…`). */
  publicKey: string;
  state: PeelKeyState;
  /** ISO 8601: when the record got it. */
  addedAt?: string | undefined;
  /** The key that signed its last JWT (`A…`); absent: none was issued. */
  issuer?: string | undefined;
  /** Seconds since 1970, of its last JWT. */
  issuedAt?: number | undefined;
  /** Seconds since 1970, of its last JWT; absent: it does not expire. */
  expiresAt?: number | undefined;
  /** The request that the last JWT answers: the same request asked again gets the same JWT. */
  requestId?: string | undefined;
  /** ISO 8601: when it first connected. */
  connectedAt?: string | undefined;
  /** Seconds since 1970: what was issued up to then is revoked. */
  revokedUpTo?: number | undefined;
  /** The key that the peel replaced by this one, in a rotation or a recovery. */
  replaces?: string | undefined;
}

/** What is known of a peel, and what was decided. The value of its id in the bucket `zester-peels`. */
export interface PeelRecord {
  id: string;
  state: PeelState;
  /** The keys that it has held, in the order in which they came. */
  keys: readonly PeelKey[];
  /** How many events made it: the number of its last one. */
  number: number;
  /** ISO 8601: the first event, and the last. */
  createdAt: string;
  updatedAt: string;
  /** Who last decided on its state, and when. */
  decided?: { by: Actor; at: string; reason?: string | undefined } | undefined;
  /** ISO 8601: when a key rotation was requested; removed once it is done. */
  rotationAskedAt?: string | undefined;
  /** The pattern of the join token that it came with, and the like: where it came from, for people. */
  origin?: string | undefined;
  /** What admins and join tokens said of it, to select peels by; absent: nothing. */
  labels?: Labels | undefined;
  /** How often the peel came back after its credential had expired, and when last: seconds since 1970, the newest last. */
  recovery?:
    | {
        count: number;
        at: readonly number[];
        /** The record was restored from a backup after its key had expired: an admin accepts its next recovery. */
        held?: boolean | undefined;
      }
    | undefined;
}

// Loose: an older master that changes a record keeps the fields that a newer one has added. A state that it does not know is
// another matter: it cannot judge such a peel, and decides nothing about it.
const keySchema = keeping({
  publicKey: v.string(),
  state: v.picklist(KEY_STATES),
  addedAt: v.optional(v.string()),
  issuer: v.optional(v.string()),
  issuedAt: v.optional(v.number()),
  expiresAt: v.optional(v.number()),
  requestId: v.optional(v.string()),
  connectedAt: v.optional(v.string()),
  revokedUpTo: v.optional(v.number()),
  replaces: v.optional(v.string()),
});

export const recordSchema = keeping({
  id: v.pipe(v.string(), v.regex(PEEL_ID, 'is not a peel ID')),
  state: v.picklist(PEEL_STATES),
  keys: v.pipe(v.array(keySchema), v.readonly()),
  number: v.number(),
  createdAt: v.string(),
  updatedAt: v.string(),
  decided: v.optional(keeping({ by: actorSchema, at: v.string(), reason: v.optional(v.string()) })),
  rotationAskedAt: v.optional(v.string()),
  origin: v.optional(v.string()),
  labels: v.optional(storedLabelsSchema),
  recovery: v.optional(
    v.object({
      count: v.number(),
      at: v.pipe(v.array(v.number()), v.readonly()),
      held: v.optional(v.boolean()),
    }),
  ),
});

/**
 * The current key of a peel: the newest one that has a JWT and is not retired, revoked or about to be.
 *
 * @example
 * import { connectFleet } from 'zester';
 * import { currentKey } from 'zester/master';
 *
 * const fleet = await connectFleet({ servers: process.env.NATS_URL, credentials: 'admin.creds' });
 * const { record } = await fleet.peels.show('web-01');
 * console.log(currentKey(record)?.publicKey); // U…
 * await fleet.close();
 */
export function currentKey(record: PeelRecord): PeelKey | undefined {
  return record.keys.findLast(({ state }) => state === 'issued' || state === 'live');
}

/** The key that a peel is connected with, or was last. */
export function liveKey(record: PeelRecord): PeelKey | undefined {
  return record.keys.findLast(({ state }) => state === 'live');
}

/** The key in use; else the last one, which waits or had its time. */
export function shownKey(record: PeelRecord): PeelKey | undefined {
  return currentKey(record) ?? record.keys.at(-1);
}

/** The key of this peel that has this public key. */
export function keyOf(record: PeelRecord, publicKey: string): PeelKey | undefined {
  return record.keys.findLast((key) => key.publicKey === publicKey);
}

/**
 * Whether a requested rotation must replace this key. Not a key that was added since then: it is the new one,
 * and its connection is only not known yet.
 */
export function isRotationWanted(record: PeelRecord, publicKey: string): boolean {
  const { rotationAskedAt } = record;
  if (rotationAskedAt === undefined) return false;
  const addedAt = keyOf(record, publicKey)?.addedAt;
  return addedAt === undefined || Date.parse(addedAt) < Date.parse(rotationAskedAt);
}

/**
 * Whether the peel itself has replaced this key by the one that it is to use now, directly or through others. Not where an
 * admin gave the ID another key: that breaks the chain.
 */
export function isReplacedByPeel(record: PeelRecord, publicKey: string): boolean {
  const seen = new Set<string>();
  for (let at = currentKey(record)?.replaces; at !== undefined && !seen.has(at);) {
    if (at === publicKey) return true;
    seen.add(at);
    at = keyOf(record, at)?.replaces;
  }
  return false;
}

/** Whether a peel may get JWTs: an admin or a policy accepted it. */
export function isAccepted({ state }: PeelRecord): boolean {
  return state === 'accepted' || state === 'active';
}

/** Why a peel is given nothing. Of a rejected or revoked one, permanently. */
export function notAccepted(record: PeelRecord): FleetError {
  const { id, decided } = record;
  const why = decided?.reason === undefined ? '' : ` (${decided.reason})`;
  const options = { peelId: id };
  switch (record.state) {
    case 'rejected':
      return new FleetError('ERR_FLEET_REJECTED', `the peel "${id}" was rejected${why}`, {
        ...options,
        final: true,
      });
    case 'revoked':
      return new FleetError('ERR_FLEET_REVOKED', `the peel "${id}" is revoked${why}`, {
        ...options,
        final: true,
      });
    case 'pending':
    case 'accepted':
    case 'active':
      return new FleetError(
        'ERR_FLEET_PENDING',
        `the peel "${id}" is pending: run "zester peel accept ${id}" or "zester peel reject ${id}"`,
        options,
      );
  }
}

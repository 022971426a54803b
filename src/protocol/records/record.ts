// The record of a peel: its state and its keys.
import * as v from 'valibot';
import { openObject } from './open-object.js';
import { FleetError } from '../../errors.js';
import { PEEL_ID } from '../../permissions/peel-id.js';
import { actorSchema, type Actor } from './actor.js';
import { storedLabelsSchema, type Labels } from './labels.js';

/** `pending → accepted → active`, `pending → rejected`, any of them `→ revoked` (docs/design.md, "The fleet"). */
export type PeelState = 'pending' | 'accepted' | 'active' | 'rejected' | 'revoked';
export const PEEL_STATES = ['pending', 'accepted', 'active', 'rejected', 'revoked'] as const;

/**
 * - `requested`: the peel asked to join with it; no JWT was issued.
 * - `issued`: a JWT was issued, but the key has not connected yet.
 * - `live`: it has connected.
 * - `retired`: another key replaced it; it will be revoked.
 * - `revoking`: its revocation was decided, but not every server has confirmed it.
 * - `revoked`: every server has confirmed.
 */
export type PeelKeyState = 'requested' | 'issued' | 'live' | 'retired' | 'revoking' | 'revoked';
export const KEY_STATES = ['requested', 'issued', 'live', 'retired', 'revoking', 'revoked'] as const;

/** One key that a peel has held. */
export interface PeelKey {
  /** The public key (`U…`). */
  publicKey: string;
  state: PeelKeyState;
  /** ISO 8601: when it was added to the record. */
  addedAt?: string | undefined;
  /** The key that signed its last JWT (`A…`); absent: no JWT was issued. */
  issuer?: string | undefined;
  /** When its last JWT was issued, in seconds since 1970. */
  issuedAt?: number | undefined;
  /** When its last JWT expires, in seconds since 1970; absent: never. */
  expiresAt?: number | undefined;
  /** The ID of the request that the last JWT answers: a retry of the request gets the same JWT. */
  requestId?: string | undefined;
  /** ISO 8601: when it first connected. */
  connectedAt?: string | undefined;
  /** JWTs issued up to this time, in seconds since 1970, are revoked. */
  revokedUpTo?: number | undefined;
  /** The key that this one replaced, in a rotation or a recovery. */
  replaces?: string | undefined;
}

/** The record of a peel: its keys and the decisions about it. Stored under its ID in the bucket `zester-peels`. */
export interface PeelRecord {
  id: string;
  state: PeelState;
  /** Its keys, oldest first. */
  keys: readonly PeelKey[];
  /** The number of its last event. */
  number: number;
  /** ISO 8601: the times of the first and the last event. */
  createdAt: string;
  updatedAt: string;
  /** The last decision on its state. */
  decided?: { by: Actor; at: string; reason?: string | undefined } | undefined;
  /** ISO 8601: when a key rotation was requested; removed once it is done. */
  rotationAskedAt?: string | undefined;
  /** Where it came from, for people: for example the pattern of its join token. */
  origin?: string | undefined;
  /** Its labels, from admins and join tokens; absent: none. */
  labels?: Labels | undefined;
  /** The number of its recoveries after expiry, and the times of the last ones: seconds since 1970, newest last. */
  recovery?:
    | {
        count: number;
        at: readonly number[];
        /** The record was restored from a backup after its key had expired: an admin must accept its next recovery. */
        held?: boolean | undefined;
      }
    | undefined;
}

// Open: an older master that changes a record keeps the fields that a newer one added. A record with an unknown state
// does not parse: the master cannot judge such a peel, and decides nothing about it.
const keySchema = openObject({
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

export const recordSchema = openObject({
  id: v.pipe(v.string(), v.regex(PEEL_ID, 'is not a peel ID')),
  state: v.picklist(PEEL_STATES),
  keys: v.pipe(v.array(keySchema), v.readonly()),
  number: v.number(),
  createdAt: v.string(),
  updatedAt: v.string(),
  decided: v.optional(openObject({ by: actorSchema, at: v.string(), reason: v.optional(v.string()) })),
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

/** The key that an admin decides on: of a peel that waits to join or to recover, the one that it requested last. */
export function keyToDecide(record: PeelRecord): PeelKey | undefined {
  return record.state === 'pending' ? record.keys.at(-1) : undefined;
}

/** The key to show in lists: the one to decide on, the current one, or else the last one, which is retired or revoked. */
export function shownKey(record: PeelRecord): PeelKey | undefined {
  return keyToDecide(record) ?? currentKey(record) ?? record.keys.at(-1);
}

/** The peel's key with this public key. */
export function keyOf(record: PeelRecord, publicKey: string): PeelKey | undefined {
  return record.keys.findLast((key) => key.publicKey === publicKey);
}

/** Whether there is a record, and it has this key, in any state. */
export function hasKey(record: PeelRecord | undefined, publicKey: string): boolean {
  return record !== undefined && keyOf(record, publicKey) !== undefined;
}

/**
 * Whether a requested rotation must replace this key. A key that was added after the request is already the new one;
 * its connection is just not known yet.
 */
export function needsRotation(record: PeelRecord, publicKey: string): boolean {
  const { rotationAskedAt } = record;
  if (rotationAskedAt === undefined) return false;
  const addedAt = keyOf(record, publicKey)?.addedAt;
  return addedAt === undefined || Date.parse(addedAt) < Date.parse(rotationAskedAt);
}

/**
 * Whether the peel itself replaced this key with its current one, directly or through others. A new key from an admin
 * breaks the chain.
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

/** The error for a peel that is not accepted; final for a rejected or revoked one. */
export function notAcceptedError(record: PeelRecord): FleetError {
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

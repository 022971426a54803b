// Computes a peel's record from an event.
import { FleetError } from '../../errors.js';
import type { IssuedKey, PeelEvent } from './audit-event.js';
import { changedLabels, type Labels } from './labels.js';
import { revokeUpTo } from '../../jwt/revoke-up-to.js';
import { isAccepted, type PeelKey, type PeelKeyState, type PeelRecord, type PeelState } from './record.js';
import { REVOKED_KEY_KEPT_SECONDS } from '../../timing.js';

/**
 * Computes a peel's record after an event. The registry is the result of its events, applied in order: replaying the
 * audit log gives the same records.
 *
 * @param record undefined: no record yet
 * @throws FleetError `ERR_FLEET_RECORD` when the event is not the next one
 * @example
 * import { connectFleet, type PeelRecord } from 'zester';
 * import { applyEvent, isPeelEvent } from 'zester/master';
 *
 * // the registry, computed from the audit log
 * const fleet = await connectFleet({ servers: process.env.NATS_URL, credentials: 'admin.creds' });
 * const registry = new Map<string, PeelRecord>();
 * for await (const event of fleet.audit()) {
 *   if (!isPeelEvent(event)) continue;
 *   registry.set(event.peelId, applyEvent(registry.get(event.peelId), event));
 * }
 * console.log(registry.has('web-01')); // true
 * await fleet.close();
 */
export function applyEvent(record: PeelRecord | undefined, event: PeelEvent): PeelRecord {
  const number = (record?.number ?? 0) + 1;
  if (event.number !== number || (record !== undefined && record.id !== event.peelId)) {
    throw new FleetError(
      'ERR_FLEET_RECORD',
      `event ${event.number} of "${event.peelId}" cannot follow event ${number - 1} of "${record?.id ?? event.peelId}"`,
      { peelId: event.peelId },
    );
  }
  const before: PeelRecord = record ?? {
    id: event.peelId,
    state: 'pending',
    keys: [],
    number: 0,
    createdAt: event.at,
    updatedAt: event.at,
  };
  const given = 'labels' in event ? event.labels : undefined;
  return { ...withLabels(change(before, event), given), number, updatedAt: event.at };
}

/** Adds the labels of a decision to the record's own. */
function withLabels(record: PeelRecord, set: Labels | undefined): PeelRecord {
  return set === undefined ? record : { ...record, labels: changedLabels(record.labels, { set }) };
}

function change(record: PeelRecord, event: PeelEvent): PeelRecord {
  switch (event.kind) {
    case 'peel.requested':
      // also for a rejected or revoked peel: it waits for a new decision, with a new key
      return {
        ...withKey(
          record,
          event.publicKey,
          { state: 'requested', ...(event.replaces !== undefined && { replaces: event.replaces }) },
          event.at,
        ),
        state: 'pending',
        decided: undefined,
        origin: event.origin,
      };
    case 'peel.appeared':
      return {
        ...withIssued(record, event.key, 'live', event.at, event.at),
        state: 'pending',
        origin: event.origin,
      };
    case 'peel.accepted':
      return {
        ...record,
        state: record.keys.some(({ state }) => state === 'live') ? 'active' : 'accepted',
        decided: decided(event),
      };
    case 'peel.rejected':
      // also its keys, so that the next peel with this ID does not readmit the rejected one
      return {
        ...decide(revoking(record, undefined, secondsOf(event.at)), 'rejected', event),
        rotationAskedAt: undefined,
      };
    case 'peel.revoked':
      return {
        ...decide(revoking(record, undefined, event.upTo), 'revoked', event),
        rotationAskedAt: undefined,
      };
    case 'key.issued': {
      if (record.number > 0 && isAccepted(record)) return withIssued(record, event.key, 'issued', event.at);
      // accepts a new or an unaccepted peel with this key; its earlier keys are revoked
      const others = record.keys
        .map(({ publicKey }) => publicKey)
        .filter((key) => key !== event.key.publicKey);
      return {
        ...withIssued(revoking(record, others, secondsOf(event.at)), event.key, 'issued', event.at),
        state: 'accepted',
        decided: decided(event),
        origin: event.origin ?? record.origin,
        rotationAskedAt: undefined,
      };
    }
    case 'key.renewed':
      return withIssued(record, event.key, undefined, event.at);
    case 'key.rotated':
      return rotated(record, event);
    case 'key.connected':
      return connected(record, event.publicKey, event.at);
    case 'key.revoking':
      return revoking(record, event.publicKeys, event.upTo);
    case 'key.revoked':
      return {
        ...record,
        keys: forgetOld(
          record.keys.map((key) =>
            event.publicKeys.includes(key.publicKey) ? { ...key, state: 'revoked' } : key,
          ),
          event.at,
        ),
      };
    case 'recovery.held': {
      const { count, at } = record.recovery ?? { count: 0, at: [] };
      return { ...record, recovery: { count, at, held: true } };
    }
    case 'rotation.asked':
      return { ...record, rotationAskedAt: event.at };
    case 'peel.labelled':
      return { ...record, labels: changedLabels(record.labels, event) };
  }
}

/** The number of recoveries that a record keeps: more than any limit counts. */
const KEPT_RECOVERIES = 100;

/** A new key that the peel requested. A recovery revokes its earlier keys: a copy of them must not stay valid. */
function rotated(record: PeelRecord, event: PeelEvent & { kind: 'key.rotated' }): PeelRecord {
  const { key, replaces, recovery, at } = event;
  const now = secondsOf(at);
  const before =
    recovery === undefined ? record : { ...record, keys: forgetOld(endedKeys(record, key, now), at) };
  const after = withKey(withIssued(before, key, 'issued', at), key.publicKey, { replaces }, at);
  if (recovery === undefined) return after;
  const times = [...(record.recovery?.at ?? []), now].slice(-KEPT_RECOVERIES);
  return { ...after, recovery: { count: recovery, at: times }, rotationAskedAt: undefined };
}

/**
 * The keys of a peel after its recovery with another key: revoked. A key whose JWTs have expired needs no revocation,
 * as no server accepts it.
 */
function endedKeys(record: PeelRecord, { publicKey }: IssuedKey, now: number): PeelKey[] {
  const isOther = (key: PeelKey): boolean => key.publicKey !== publicKey;
  const isOver = ({ expiresAt }: PeelKey): boolean => expiresAt !== undefined && expiresAt <= now;
  const inForce = record.keys.filter((key) => isOther(key) && !isOver(key)).map((key) => key.publicKey);
  return revoking(record, inForce, now).keys.map((key) =>
    isOther(key) && isOver(key) ? { ...key, state: 'revoked' } : key,
  );
}

/** The number of revoked keys that a record keeps; the audit log has all of them. */
const KEPT_KEYS = 8;

/** Bounds the record of a peel that rotates its key for years. */
function forgetOld(keys: PeelKey[], at: string): PeelKey[] {
  const now = Date.parse(at) / 1000;
  const old = keys.filter(
    ({ state, expiresAt }) =>
      state === 'revoked' && expiresAt !== undefined && expiresAt + REVOKED_KEY_KEPT_SECONDS < now,
  );
  const gone = new Set(old.slice(0, Math.max(0, old.length - KEPT_KEYS)));
  return keys.filter((key) => !gone.has(key));
}

function secondsOf(at: string): number {
  return Math.floor(Date.parse(at) / 1000);
}

function decided({ by, at, reason }: PeelEvent): PeelRecord['decided'] {
  return { by, at, ...(reason !== undefined && { reason }) };
}

function decide(record: PeelRecord, state: PeelState, event: PeelEvent): PeelRecord {
  return { ...record, state, decided: decided(event) };
}

/**
 * A connected key retires the active keys that were issued before it. It does not retire later ones: the event of a
 * connection may arrive late, when the peel already has the next key.
 */
function connected(record: PeelRecord, publicKey: string, at: string): PeelRecord {
  const its = record.keys.findIndex((key) => key.publicKey === publicKey);
  const keys = record.keys.map((key, i): PeelKey => {
    if (i === its) return { ...key, state: 'live', connectedAt: key.connectedAt ?? at };
    return i < its && (key.state === 'live' || key.state === 'issued') ? { ...key, state: 'retired' } : key;
  });
  const replaced = record.keys.some((key, i) => i < its && key.state === 'live');
  return {
    ...record,
    keys,
    state: record.state === 'accepted' ? 'active' : record.state,
    // a requested rotation is done when the new key is in use
    ...(replaced && { rotationAskedAt: undefined }),
  };
}

function revoking(record: PeelRecord, publicKeys: readonly string[] | undefined, upTo: number): PeelRecord {
  const keys = record.keys.map((key): PeelKey => {
    if (key.state === 'revoked' || (publicKeys !== undefined && !publicKeys.includes(key.publicKey)))
      return key;
    // a key without a JWT cannot connect, so there is nothing to revoke
    const state = key.issuedAt === undefined ? 'revoked' : 'revoking';
    const before = [key.issuedAt, key.revokedUpTo].filter((time) => time !== undefined);
    return { ...key, state, revokedUpTo: revokeUpTo(upTo, { issuedAt: before, complete: true }) };
  });
  return { ...record, keys };
}

function withIssued(
  record: PeelRecord,
  issued: IssuedKey,
  state: PeelKeyState | undefined,
  at: string,
  connectedAt?: string,
): PeelRecord {
  const { publicKey, issuer, issuedAt, expiresAt, requestId } = issued;
  const facts = {
    issuer,
    issuedAt,
    expiresAt,
    requestId,
    ...(state !== undefined && { state }),
    ...(connectedAt !== undefined && { connectedAt }),
  };
  return withKey(record, publicKey, facts, at);
}

/** Keys are in the order of their issue; a key that is issued again becomes the newest. */
function withKey(record: PeelRecord, publicKey: string, facts: Partial<PeelKey>, at: string): PeelRecord {
  const known = record.keys.find((key) => key.publicKey === publicKey);
  const key: PeelKey = { state: 'issued', addedAt: at, ...known, ...facts, publicKey };
  const stays =
    known !== undefined && (facts.state === undefined || known.state === 'issued' || known.state === 'live');
  return {
    ...record,
    keys: stays
      ? record.keys.map((k) => (k === known ? key : k))
      : [...record.keys.filter((k) => k !== known), key],
  };
}

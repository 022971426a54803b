// The events of the audit log.
import * as v from 'valibot';
import { actorSchema, type Actor } from './actor.js';
import { keeping } from './keeping.js';
import { storedLabelsSchema, type Labels } from './labels.js';

/** The facts of an issued JWT, from which the same JWT can be made again. */
export interface IssuedKey {
  /** The key (`U…`). */
  publicKey: string;
  /** The key that signed (`A…`). */
  issuer: string;
  /** Seconds since 1970. */
  issuedAt: number;
  /** Seconds since 1970; absent: it never expires. */
  expiresAt?: number | undefined;
  /** The request that it answers. */
  requestId?: string | undefined;
}

const issuedSchema = v.object({
  publicKey: v.string(),
  issuer: v.string(),
  issuedAt: v.number(),
  expiresAt: v.optional(v.number()),
  requestId: v.optional(v.string()),
});

const publicKeys = v.array(v.string());
/** Labels that the decision adds to the peel's own. Older masters omit them. */
const labels = v.optional(storedLabelsSchema);

/**
 * What changes the record of a peel: `applyEvent` says how. Each revision of a record holds the one event that made it,
 * so that the audit can be completed by any master when the one that decided died before it could say so.
 */
const changeSchema = v.variant('kind', [
  /** A new host asks to join with this key, and waits. */
  v.object({
    kind: v.literal('peel.requested'),
    publicKey: v.string(),
    origin: v.string(),
    /** For a peel whose credential has expired: the key that this one replaces. */
    replaces: v.optional(v.string()),
    labels,
  }),
  /**
   * A credential that no master issued has connected, with a valid chain. `live`: it is in use from now on, as the
   * peel's only one.
   */
  v.object({ kind: v.literal('peel.appeared'), key: issuedSchema, origin: v.string() }),
  v.object({ kind: v.literal('peel.accepted'), labels }),
  /** Marks its keys for revocation, up to the time of the event. */
  v.object({ kind: v.literal('peel.rejected') }),
  /** Marks all keys of the peel for revocation, up to this time in seconds since 1970. */
  v.object({ kind: v.literal('peel.revoked'), upTo: v.number() }),
  /**
   * The first JWT for a key that is new to the record, or was only requested. It makes a new or an unaccepted peel
   * accepted; the record's other keys are then to be revoked.
   */
  v.object({ kind: v.literal('key.issued'), key: issuedSchema, origin: v.optional(v.string()), labels }),
  /** A newer JWT for a key that already has one. */
  v.object({ kind: v.literal('key.renewed'), key: issuedSchema, labels }),
  /**
   * A JWT for a new key, requested and signed by the previous one. `recovery`: that one's JWT had expired; the number
   * of the peel's recovery. A field, not a separate kind: an older master reads such a record as a rotation.
   */
  v.object({
    kind: v.literal('key.rotated'),
    key: issuedSchema,
    replaces: v.string(),
    recovery: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1))),
  }),
  /** A key has connected for the first time. Keys that were issued before it are retired. */
  v.object({ kind: v.literal('key.connected'), publicKey: v.string() }),
  /** Marks these keys for revocation. */
  v.object({ kind: v.literal('key.revoking'), publicKeys, upTo: v.number() }),
  /** Every server has confirmed that these keys are revoked. */
  v.object({ kind: v.literal('key.revoked'), publicKeys }),
  /** Requests that the peel replace its key. */
  v.object({ kind: v.literal('rotation.asked') }),
  /** An admin changed its labels; unnamed ones stay. */
  v.object({
    kind: v.literal('peel.labelled'),
    set: v.optional(storedLabelsSchema),
    remove: v.optional(v.pipe(v.array(v.string()), v.readonly())),
  }),
  /**
   * The record comes from a backup, and its key has expired: a later revocation may be forgotten. An admin must
   * accept its recovery.
   */
  v.object({ kind: v.literal('recovery.held') }),
]);

/** An event that changed the record of a peel; `kind` says how. */
export type PeelChange =
  /** A new host asks to join with this key, and waits. */
  | {
      kind: 'peel.requested';
      publicKey: string;
      origin: string;
      /** For a peel whose credential has expired: the key that this one replaces. */
      replaces?: string | undefined;
      /** Labels that are added to the peel's own. */
      labels?: Labels | undefined;
    }
  /** A credential that no master issued has connected, and its chain is valid. */
  | { kind: 'peel.appeared'; key: IssuedKey; origin: string }
  | { kind: 'peel.accepted'; labels?: Labels | undefined }
  /** Marks its keys for revocation, up to the time of the event. */
  | { kind: 'peel.rejected' }
  /** Marks all its keys for revocation, up to this time in seconds since 1970. */
  | { kind: 'peel.revoked'; upTo: number }
  /** The first JWT for a key. An unaccepted peel is accepted now; its other keys are to be revoked. */
  | { kind: 'key.issued'; key: IssuedKey; origin?: string | undefined; labels?: Labels | undefined }
  /** A newer JWT for a key that already has one. */
  | { kind: 'key.renewed'; key: IssuedKey; labels?: Labels | undefined }
  /** A JWT for a new key, requested and signed by the one before. `recovery`: its JWT had expired; the number of recoveries. */
  | { kind: 'key.rotated'; key: IssuedKey; replaces: string; recovery?: number | undefined }
  /** A key has connected for the first time. Keys that were issued before it are retired. */
  | { kind: 'key.connected'; publicKey: string }
  /** Marks these keys for revocation, up to this time in seconds since 1970. */
  | { kind: 'key.revoking'; publicKeys: string[]; upTo: number }
  /** Every server has confirmed that these keys are revoked. */
  | { kind: 'key.revoked'; publicKeys: string[] }
  /** Requests that the peel replace its key. */
  | { kind: 'rotation.asked' }
  /** An admin changed its labels; unnamed ones stay. */
  | { kind: 'peel.labelled'; set?: Labels | undefined; remove?: readonly string[] | undefined }
  /** The record was restored from a backup, and its key had expired: an admin must accept the peel when it recovers. */
  | { kind: 'recovery.held' };

/** The kinds of events that change no record. */
export type AuditRemarkKind =
  /** A master refused and cut a connection: its user was, or will be, revoked. */
  | 'connection.refused'
  /** A request was refused. */
  | 'request.refused'
  /** A peel recovered after its credential had expired; in addition to `key.rotated`, which changed its record. */
  | 'peel.recovered'
  /** A copy of a peel's credential was used; in addition to `peel.revoked`, which stopped both. */
  | 'peel.cloned'
  /** The policy of a master returned no decision about a peel: it stays pending. */
  | 'policy.failed'
  | 'token.created'
  | 'token.used'
  /** A use was returned: its key did not get the ID. */
  | 'token.returned'
  | 'token.removed'
  /** Some servers have not confirmed a revocation. */
  | 'revocation.incomplete'
  /** A connection could not be cut, or a key not revoked. */
  | 'revocation.failed'
  /** Another tool pushed an older state of the account: what it had lost was restored. */
  | 'account.restored'
  /** A signing key was taken out of the account. */
  | 'signing-key.removed'
  /** Too many healthy peels were about to be revoked: none is. */
  | 'revocations.held'
  /** They are revoked after all, or the cause is gone. */
  | 'revocations.resumed'
  /** The retention of the audit log has deleted its oldest events. */
  | 'audit.trimmed'
  /** JetStream stopped writing on a server, as on a full disk. The event is stored once it writes again. */
  | 'storage.failed'
  /** An encrypted backup of the fleet was made. */
  | 'backup.created'
  /** A backup was restored. */
  | 'backup.restored'
  /** A host was invited to run a master. */
  | 'master.invited'
  /** The home of an invited host was installed. */
  | 'master.installed'
  | 'master.removed'
  /** A master renewed its own credentials. */
  | 'master.renewed'
  /** An admin was added; an admin was removed. */
  | 'admin.added'
  | 'admin.removed'
  | 'master.started'
  | 'master.stopped';

/** What changes no record. {@link AuditRemarkKind} has the same kinds. */
const remarkSchema = v.object({
  kind: v.picklist([
    /** A connection that the master does not stand for: its user was, or will be, revoked. */
    'connection.refused',
    /** A request that was not granted. */
    'request.refused',
    /** A peel came back after its credential had expired: beside `key.rotated`, which changed its record. */
    'peel.recovered',
    /** A copy of a peel's credential was used: beside `peel.revoked`, which stopped both. */
    'peel.cloned',
    /** The policy of a master gave no decision about a peel: it is pending. */
    'policy.failed',
    'token.created',
    'token.used',
    /** A use was given back: its key did not get the ID. */
    'token.returned',
    'token.removed',
    /** Servers that have not confirmed a revocation. */
    'revocation.incomplete',
    /** A connection could not be cut, or a key not revoked. */
    'revocation.failed',
    /** Another tool pushed an older state of the account: what it had lost was restored. */
    'account.restored',
    /** A signing key was taken out of the account. */
    'signing-key.removed',
    /** Too many healthy peels were about to be revoked: none is. */
    'revocations.held',
    /** They are revoked after all, or the cause is gone. */
    'revocations.resumed',
    /** The retention of the audit log has deleted its oldest events. */
    'audit.trimmed',
    /** JetStream stopped writing on a server. */
    'storage.failed',
    /** Everything that the fleet is was written into an encrypted file. */
    'backup.created',
    /** What a backup had was put back. */
    'backup.restored',
    /** A host was invited to run a master; its home was installed; it was removed. */
    'master.invited',
    'master.installed',
    'master.removed',
    /** A master renewed its own credentials. */
    'master.renewed',
    /** An admin was added; an admin was removed. */
    'admin.added',
    'admin.removed',
    'master.started',
    'master.stopped',
  ]),
});

/** What every event of the audit log has: who, what, which key, when, from where. Never a secret. */
export interface AuditFacts {
  /** Unique; the message ID in the stream. */
  id: string;
  /** ISO 8601. */
  at: string;
  /** Who decided or asked. */
  by: Actor;
  /** The peel, or what it calls itself; absent: it is about none. */
  peelId?: string | undefined;
  /** Which change of the peel's record it is, from 1. */
  number?: number | undefined;
  /** The key it is about, if its `kind` has no such property. */
  publicKey?: string | undefined;
  /** The address, the server or the join token that it came from. */
  from?: string | undefined;
  reason?: string | undefined;
  /** The stable code of an error. */
  code?: string | undefined;
  /** More, depending on the kind. */
  detail?: Record<string, string | number | boolean> | undefined;
}

// loose: an event may be published by another master than the one that made it, and fields of a newer version stay in it
const commonSchema = keeping({
  id: v.string(),
  at: v.string(),
  by: actorSchema,
  peelId: v.optional(v.string()),
  number: v.optional(v.number()),
  publicKey: v.optional(v.string()),
  from: v.optional(v.string()),
  reason: v.optional(v.string()),
  code: v.optional(v.string()),
  detail: v.optional(v.record(v.string(), v.union([v.string(), v.number(), v.boolean()]))),
});

/** An event of the audit log. Switch on `kind`. */
export type AuditEvent = AuditFacts & (PeelChange | { kind: AuditRemarkKind });

/** An event that changed the record of a peel. */
export type PeelEvent = AuditFacts & PeelChange & { peelId: string; number: number };

export const auditEventSchema = v.intersect([commonSchema, v.union([changeSchema, remarkSchema])]);

const CHANGES: ReadonlySet<string> = new Set(
  changeSchema.options.map((option) => option.entries.kind.literal),
);

/**
 * An event that changed a record, of a kind that only a newer version knows. It counts as one change of its peel, and is
 * published as it is; what it changed is in the record.
 */
export interface NewerChange {
  id: string;
  at: string;
  kind: string;
  by: Actor;
  peelId: string;
  number: number;
}

/** An event that made a record what it is. */
export type RecordEvent = PeelEvent | NewerChange;

/** All kinds of events. */
export const AUDIT_KINDS: readonly string[] = [...CHANGES, ...remarkSchema.entries.kind.options];

const KNOWN: ReadonlySet<string> = new Set(AUDIT_KINDS);

/** A kind is part of a subject: nothing in it may be another token, or a wildcard. */
const KIND = /^[a-z][a-z-]{0,40}\.[a-z][a-z-]{0,40}$/;

/** See {@link NewerChange}. An event of a known kind that does not have its form is none. */
export const newerChangeSchema = keeping({
  id: v.string(),
  at: v.string(),
  kind: v.pipe(v.string(), v.regex(KIND), v.check(isNewerKind, 'has an unknown form')),
  by: actorSchema,
  peelId: v.string(),
  number: v.number(),
});

/** Whether only a newer version knows this kind of event. */
export function isNewerKind(kind: string): boolean {
  return !KNOWN.has(kind);
}

/**
 * Whether an event changed the record of a peel.
 *
 * @example
 * import { connectFleet } from 'zester';
 * import { isPeelEvent } from 'zester/master';
 *
 * const fleet = await connectFleet({ servers: process.env.NATS_URL, credentials: 'admin.creds' });
 * for await (const event of fleet.audit({ last: 100 }))
 *   if (isPeelEvent(event)) console.log(event.peelId, event.number, event.kind); // web-01 1 …
 * await fleet.close();
 */
export function isPeelEvent(event: AuditEvent): event is PeelEvent {
  return CHANGES.has(event.kind) && event.peelId !== undefined && event.number !== undefined;
}

/** Whether this version knows what an event of a record changed. */
export function isKnownChange(event: RecordEvent): event is PeelEvent {
  return CHANGES.has(event.kind);
}

/** As {@link isPeelEvent}, also of a newer version. */
export function isRecordEvent(event: AuditEvent | RecordEvent): event is RecordEvent {
  return isNewerKind(event.kind) || isPeelEvent(event as AuditEvent);
}

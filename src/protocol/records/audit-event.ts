// The events of the audit log.
import * as v from 'valibot';
import { actorSchema, type Actor } from './actor.js';
import { openObject } from './open-object.js';
import { storedLabelsSchema, type Labels } from './labels.js';

/** The facts of an issued JWT, from which the same JWT can be signed again. */
export interface IssuedKey {
  /** The key (`U…`). */
  publicKey: string;
  /** The signing key (`A…`). */
  issuer: string;
  /** Seconds since 1970. */
  issuedAt: number;
  /** Seconds since 1970; absent: it never expires. */
  expiresAt?: number | undefined;
  /** The ID of the request that it answers. */
  requestId?: string | undefined;
}

const issuedSchema = openObject({
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
 * The events that change the record of a peel, as `applyEvent` defines. Each revision of a record contains the event
 * that made it: if a master dies before it publishes the event, any other master can.
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
   * A credential that no master issued has connected, with a valid chain. Its key is `live` from now on, and the peel's
   * only one.
   */
  v.object({ kind: v.literal('peel.appeared'), key: issuedSchema, origin: v.string() }),
  v.object({ kind: v.literal('peel.accepted'), labels }),
  /** Marks its keys for revocation, up to the time of the event. */
  v.object({ kind: v.literal('peel.rejected') }),
  /** Marks all keys of the peel for revocation, up to this time in seconds since 1970. */
  v.object({ kind: v.literal('peel.revoked'), upTo: v.number() }),
  /**
   * The first JWT for a key that is new to the record, or was only requested. Accepts a new or an unaccepted peel, and
   * revokes the record's other keys.
   */
  v.object({ kind: v.literal('key.issued'), key: issuedSchema, origin: v.optional(v.string()), labels }),
  /** A newer JWT for a key that already has one. */
  v.object({ kind: v.literal('key.renewed'), key: issuedSchema, labels }),
  /**
   * A JWT for a new key, requested and signed by the previous key. `recovery` is set if the previous JWT had expired:
   * the number of the peel's recovery. It is a field, not a kind of its own, so that an older master reads a rotation.
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
   * The record was restored from a backup, and its key had expired: a later revocation may be lost. An admin must
   * accept the recovery.
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
  /** The first JWT for a key. Accepts an unaccepted peel, and revokes its other keys. */
  | { kind: 'key.issued'; key: IssuedKey; origin?: string | undefined; labels?: Labels | undefined }
  /** A newer JWT for a key that already has one. */
  | { kind: 'key.renewed'; key: IssuedKey; labels?: Labels | undefined }
  /** A JWT for a new key, signed by the previous key. `recovery`: its JWT had expired; the number of the recovery. */
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
  /** The policy of a master failed to decide about a peel: it stays pending. */
  | 'policy.failed'
  | 'token.created'
  | 'token.used'
  /** A use was given back: its key did not get the ID. */
  | 'token.returned'
  | 'token.removed'
  /** Some servers have not confirmed a revocation. */
  | 'revocation.incomplete'
  /** A connection could not be cut, or a key could not be revoked. */
  | 'revocation.failed'
  /** Another tool pushed an older state of the account: the lost entries were restored. */
  | 'account.restored'
  /** A signing key was removed from the account. */
  | 'signing-key.removed'
  /** Too many healthy peels were about to be revoked, so none was. */
  | 'revocations.held'
  /** Held revocations were carried out, or their cause is gone. */
  | 'revocations.resumed'
  /** The retention of the audit log has deleted its oldest events. */
  | 'audit.trimmed'
  /** JetStream stopped writing on a server, for example on a full disk. The event is stored once it writes again. */
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

/** The events that change no record; {@link AuditRemarkKind} documents the kinds. */
const remarkSchema = v.object({
  kind: v.picklist([
    'connection.refused',
    'request.refused',
    'peel.recovered',
    'peel.cloned',
    'policy.failed',
    'token.created',
    'token.used',
    'token.returned',
    'token.removed',
    'revocation.incomplete',
    'revocation.failed',
    'account.restored',
    'signing-key.removed',
    'revocations.held',
    'revocations.resumed',
    'audit.trimmed',
    'storage.failed',
    'backup.created',
    'backup.restored',
    'master.invited',
    'master.installed',
    'master.removed',
    'master.renewed',
    'admin.added',
    'admin.removed',
    'master.started',
    'master.stopped',
  ]),
});

/** The common fields of audit events: who, what, which key, when, from where. Never a secret. */
export interface AuditFacts {
  /** Unique; the message ID in the stream. */
  id: string;
  /** ISO 8601. */
  at: string;
  /** The actor. */
  by: Actor;
  /** The peel, or the ID that it claims; absent: not about a peel. */
  peelId?: string | undefined;
  /** The number of this change of the peel's record, from 1. */
  number?: number | undefined;
  /** The key that it is about, for kinds without a property for it. */
  publicKey?: string | undefined;
  /** The source: an address, a server or a join token. */
  from?: string | undefined;
  reason?: string | undefined;
  /** The stable code of an error. */
  code?: string | undefined;
  /** More details, depending on the kind. */
  detail?: Record<string, string | number | boolean> | undefined;
}

// open: a master may publish another master's event, and must keep the fields of a newer version
const commonSchema = openObject({
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

type DeclaredEvent = v.InferOutput<typeof commonSchema> &
  (v.InferOutput<typeof changeSchema> | v.InferOutput<typeof remarkSchema>);

const remarkFacts = withFacts(remarkSchema.entries);
const changesByKind = new Map(
  changeSchema.options.map(({ entries }) => [entries.kind.literal as string, withFacts(entries)]),
);

/** One object per kind, chosen by the kind: a master that follows others parses each of their events. */
export const auditEventSchema = v.lazy(
  (input) => changesByKind.get((input as { kind?: string } | null)?.kind ?? '') ?? remarkFacts,
) as unknown as v.GenericSchema<DeclaredEvent>;

function withFacts(entries: v.ObjectEntries) {
  return openObject({ ...commonSchema.entries, ...entries });
}

/**
 * A change of a record, of a kind that only a newer version knows. It counts as one change of its peel, and is
 * published unchanged; its effect is in the record.
 */
export interface NewerChange {
  id: string;
  at: string;
  kind: string;
  by: Actor;
  peelId: string;
  number: number;
}

/** An event that a record stores. */
export type RecordEvent = PeelEvent | NewerChange;

/** All kinds of events. */
export const AUDIT_KINDS: readonly string[] = [...changesByKind.keys(), ...remarkSchema.entries.kind.options];

const KNOWN: ReadonlySet<string> = new Set(AUDIT_KINDS);

/** A kind is part of a subject: it may contain no further tokens and no wildcards. */
const KIND = /^[a-z][a-z-]{0,40}\.[a-z][a-z-]{0,40}$/;

/** See {@link NewerChange}. A malformed event of a known kind does not match. */
export const newerChangeSchema = openObject({
  id: v.string(),
  at: v.string(),
  kind: v.pipe(v.string(), v.regex(KIND), v.check(isNewerKind, 'has an unknown form')),
  by: actorSchema,
  peelId: v.string(),
  number: v.number(),
});

/** Whether this kind of event is from a newer version. */
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
  return changesByKind.has(event.kind) && event.peelId !== undefined && event.number !== undefined;
}

/** Whether this version knows the kind of a record's event. */
export function isKnownChange(event: RecordEvent): event is PeelEvent {
  return changesByKind.has(event.kind);
}

/** Like {@link isPeelEvent}, but includes events of newer versions. */
export function isRecordEvent(event: AuditEvent | RecordEvent): event is RecordEvent {
  return isNewerKind(event.kind) || isPeelEvent(event as AuditEvent);
}

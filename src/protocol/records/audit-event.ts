// The events of the audit log.
import * as v from 'valibot';
import { actorSchema } from './actor.js';

/** The JWT that a key was given: what is needed to make the same one again. */
const issuedSchema = v.object({
  publicKey: v.string(),
  issuer: v.string(),
  /** Seconds since 1970. */
  issuedAt: v.number(),
  /** Seconds since 1970; absent: it does not expire. */
  expiresAt: v.optional(v.number()),
  requestId: v.optional(v.string()),
});

/** The facts of a JWT that was issued. */
export type IssuedKey = v.InferOutput<typeof issuedSchema>;

const publicKeys = v.array(v.string());

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
  }),
  /**
   * A credential that no master issued has connected, and its chain holds. `live`: it is in use from here on, and it is
   * the peel's only one.
   */
  v.object({ kind: v.literal('peel.appeared'), key: issuedSchema, origin: v.string() }),
  v.object({ kind: v.literal('peel.accepted') }),
  /** Marks its keys for revocation, up to the time of the event. */
  v.object({ kind: v.literal('peel.rejected') }),
  /** Marks all keys of the peel for revocation, up to this time in seconds since 1970. */
  v.object({ kind: v.literal('peel.revoked'), upTo: v.number() }),
  /**
   * A JWT for a key that is new to the record, or was only requested. It makes an accepted peel of a new id,
   * and of one that was not accepted: then the other keys of the record are to be revoked.
   */
  v.object({ kind: v.literal('key.issued'), key: issuedSchema, origin: v.optional(v.string()) }),
  /** A newer JWT for a key that has one. */
  v.object({ kind: v.literal('key.renewed'), key: issuedSchema }),
  /** A JWT for a new key, asked for and signed by the one before. */
  v.object({ kind: v.literal('key.rotated'), key: issuedSchema, replaces: v.string() }),
  /** A key has connected for the first time. The keys before it have had their time. */
  v.object({ kind: v.literal('key.connected'), publicKey: v.string() }),
  /** Marks these keys for revocation. */
  v.object({ kind: v.literal('key.revoking'), publicKeys, upTo: v.number() }),
  /** Every server has confirmed that these keys are revoked. */
  v.object({ kind: v.literal('key.revoked'), publicKeys }),
  /** Requests that the peel replace its key. */
  v.object({ kind: v.literal('rotation.asked') }),
]);

/** What changed the record of a peel. */
export type PeelChange = v.InferOutput<typeof changeSchema>;

/** What is worth telling and changes no record. */
const remarkSchema = v.object({
  kind: v.picklist([
    /** A connection that the master does not stand for: its user was, or will be, revoked. */
    'connection.refused',
    /** A request that was not granted. */
    'request.refused',
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
    'master.started',
    'master.stopped',
  ]),
});

const commonSchema = v.object({
  /** Unique; the message id in the stream. */
  id: v.string(),
  /** ISO 8601. */
  at: v.string(),
  by: actorSchema,
  /** The peel, or what it calls itself; absent: about none. */
  peelId: v.optional(v.string()),
  /** Which change of the peel's record it is, from 1. */
  number: v.optional(v.number()),
  /** The key it is about, where `kind` does not have it. */
  publicKey: v.optional(v.string()),
  /** The address, the server, the token. */
  from: v.optional(v.string()),
  reason: v.optional(v.string()),
  /** The stable code of an error. */
  code: v.optional(v.string()),
  detail: v.optional(v.record(v.string(), v.union([v.string(), v.number(), v.boolean()]))),
});

/** An event of the audit: who, what, which key, when, from where. Never a secret. */
export type AuditEvent = v.InferOutput<typeof commonSchema> &
  (PeelChange | v.InferOutput<typeof remarkSchema>);

/** An event that changed the record of a peel. */
export type PeelEvent = v.InferOutput<typeof commonSchema> & PeelChange & { peelId: string; number: number };

export const auditEventSchema = v.intersect([commonSchema, v.union([changeSchema, remarkSchema])]);

const CHANGES: ReadonlySet<string> = new Set(
  changeSchema.options.map((option) => option.entries.kind.literal),
);

/** All kinds of events. */
export const AUDIT_KINDS: readonly string[] = [...CHANGES, ...remarkSchema.entries.kind.options];

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

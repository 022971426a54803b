// The events of a master.
import type { Actor } from '../protocol/records/actor.js';
import type { AuditEvent, IssuedKey, PeelChange } from '../protocol/records/audit-event.js';
import type { Labels } from '../protocol/records/labels.js';
import { isAccepted, type PeelRecord } from '../protocol/records/record.js';

/** The fields of all events about the fleet. */
export interface EventFacts {
  /** ISO 8601. */
  at: string;
  /** The admin, peel or master that decided or requested it. */
  by: Actor;
  reason?: string;
  /** The address, server or join token of the request. */
  from?: string;
}

/** The fields of all events about a peel. */
export interface EventOfPeel extends EventFacts {
  peelId: string;
}

/** The fields of all events about a JWT. */
export interface EventOfJwt extends EventOfPeel {
  /** The key (`U…`) that the JWT is for. */
  publicKey: string;
  /** Milliseconds since 1970; undefined: it never expires. */
  expiresAt: number | undefined;
}

/**
 * The events of one master: its decisions, observations and actions. Those of the fleet's other masters are in the
 * audit log. Switch on `type`. None contains a seed.
 */
export type MasterEvent =
  /** A host requests to join with a token, or a peel connected with credentials that no master issued. */
  | ({ type: 'joined'; how: 'token' | 'connection'; publicKey: string } & EventOfPeel)
  /** The peel may get JWTs from now on. */
  | ({ type: 'accepted'; publicKey: string | undefined } & EventOfPeel)
  | ({ type: 'rejected' } & EventOfPeel)
  /** The first JWT for a key. */
  | ({ type: 'issued' } & EventOfJwt)
  /** A newer JWT for the same key. */
  | ({ type: 'renewed' } & EventOfJwt)
  /** A JWT for a new key of the peel that replaces another. */
  | ({ type: 'keyRotated'; replaces: string } & EventOfJwt)
  /**
   * The peel recovered after its credential had expired; emitted together with `keyRotated`. `count`: how often so
   * far.
   */
  | ({ type: 'recovered'; publicKey: string | undefined; count: number } & EventOfPeel)
  /** A restored peel whose key had expired: an admin must accept its recovery. */
  | ({ type: 'recoveryHeld' } & EventOfPeel)
  /** A copy of the peel's credential was used: the peel is revoked, until an admin decides. `publicKey`: the copied key. */
  | ({ type: 'cloned'; publicKey: string | undefined } & EventOfPeel)
  /** A key is in use for the first time. */
  | ({ type: 'connected'; publicKey: string } & EventOfPeel)
  /** An admin changed the peel's labels. `labels`: all current ones. */
  | ({ type: 'labelled'; labels: Labels } & EventOfPeel)
  /** The peel must replace its key. */
  | ({ type: 'rotationAsked' } & EventOfPeel)
  /** A decision to revoke these keys, or the whole peel: `publicKeys` is undefined then. */
  | ({ type: 'revoked'; publicKeys: readonly string[] | undefined } & EventOfPeel)
  /** Every server has confirmed that these keys are revoked. */
  | ({ type: 'revocationConfirmed'; publicKeys: readonly string[] } & EventOfPeel)
  /** Not every server has confirmed a revocation, or it failed: it is retried. */
  | ({ type: 'revocationFailed'; peelId: string | undefined; code: string | undefined } & EventFacts)
  /**
   * A request was refused, or a connection cut. Repeated refusals are reported once, and a minute later as a count:
   * `count`.
   */
  | ({
      type: 'refused';
      what: 'request' | 'connection';
      code: string | undefined;
      peelId: string | undefined;
      publicKey: string | undefined;
      count: number;
    } & EventFacts)
  /** A policy function returned no decision: the peel stays pending. */
  | ({
      type: 'policyFailed';
      peelId: string | undefined;
      publicKey: string | undefined;
      count: number;
    } & EventFacts)
  /** Too many healthy peels would be revoked: revocations are held until the cause is gone or an admin resumes. */
  | ({ type: 'held'; peels: number; code: string | undefined } & EventFacts)
  | ({ type: 'resumed' } & EventFacts)
  /** A join token was created, used, returned or removed. */
  | ({ type: 'token'; what: 'created' | 'used' | 'returned' | 'removed'; tokenId: string } & EventFacts)
  /** Another tool pushed an older state of the account: its losses were restored. */
  | ({ type: 'accountRestored' } & EventFacts)
  | ({ type: 'signingKeyRemoved' } & EventFacts)
  /** A backup of the fleet was created, or the fleet was restored from one. */
  | ({ type: 'backup'; what: 'created' | 'restored' } & EventFacts)
  /** A host was invited to run a master; its home was installed; it was removed; it renewed its own credentials. */
  | ({ type: 'master'; what: 'invited' | 'installed' | 'removed' | 'renewed'; name: string } & EventFacts)
  /** An admin was added or removed. */
  | ({ type: 'admin'; what: 'added' | 'removed'; name: string } & EventFacts)
  /** The retention of the audit log has deleted its oldest events. */
  | ({ type: 'auditTrimmed'; events: number } & EventFacts)
  /** JetStream stopped writing on a server, for example because the disk is full; `reason` is the server's message. */
  | ({ type: 'storageFailed'; server: string } & EventFacts)
  /** The master answers requests. `startMaster` resolves once it is healthy, too. */
  | ({ type: 'started' } & EventFacts)
  /** The master begins to stop. */
  | ({ type: 'stopped' } & EventFacts)
  /** Whether this master is the one that follows the servers' events. */
  | { type: 'watching'; watching: boolean }
  /** A callback of yours (`logger`, `onEvent`, `now`) threw, or its promise rejected. Each is reported once. */
  | { type: 'callbackFailed'; callback: string; error: Error };

/**
 * The master events of an audited event.
 *
 * @param before the peel's record before the event, if it changed one
 * @param after the record after it
 */
export function masterEventsOf(event: AuditEvent, before?: PeelRecord, after?: PeelRecord): MasterEvent[] {
  const { at, by, reason, from, peelId, publicKey } = event;
  const facts: EventFacts = {
    at,
    by,
    ...(reason !== undefined && { reason }),
    ...(from !== undefined && { from }),
  };
  const of: EventOfPeel = { ...facts, peelId: peelId ?? '' };
  const isNew = after !== undefined && isAccepted(after) && !(before !== undefined && isAccepted(before));
  switch (event.kind) {
    case 'peel.requested':
      return [{ type: 'joined', how: 'token', ...of, publicKey: event.publicKey }];
    case 'peel.appeared':
      return [{ type: 'joined', how: 'connection', ...of, publicKey: event.key.publicKey }];
    case 'peel.accepted':
      return [{ type: 'accepted', ...of, publicKey: publicKey ?? after?.keys.at(-1)?.publicKey }];
    case 'peel.rejected':
      return [{ type: 'rejected', ...of }];
    case 'peel.revoked':
      return [{ type: 'revoked', ...of, publicKeys: undefined }];
    case 'key.issued': {
      const key = event.key.publicKey;
      const wasPending = before?.keys.some((known) => known.publicKey === key) ?? false;
      return [
        // accepted at once: there is no separate event for the request
        ...(isNew && by.kind === 'policy' && !wasPending
          ? [{ type: 'joined' as const, how: 'token' as const, ...of, publicKey: key }]
          : []),
        ...(isNew ? [{ type: 'accepted' as const, ...of, publicKey: key }] : []),
        { type: 'issued', ...of, ...jwtOf(event.key) },
      ];
    }
    case 'key.renewed':
      return [{ type: 'renewed', ...of, ...jwtOf(event.key) }];
    case 'key.rotated':
      return [{ type: 'keyRotated', ...of, ...jwtOf(event.key), replaces: event.replaces }];
    case 'key.connected':
      return [{ type: 'connected', ...of, publicKey: event.publicKey }];
    case 'key.revoking':
      return [{ type: 'revoked', ...of, publicKeys: event.publicKeys }];
    case 'key.revoked':
      return [{ type: 'revocationConfirmed', ...of, publicKeys: event.publicKeys }];
    case 'recovery.held':
      return [{ type: 'recoveryHeld', ...of }];
    case 'rotation.asked':
      return [{ type: 'rotationAsked', ...of }];
    case 'peel.labelled':
      return [{ type: 'labelled', ...of, labels: after?.labels ?? {} }];
    default:
      return [eventWithoutChange(event.kind, event, facts)];
  }
}

/** The master event for an audit event that changes no record. */
function eventWithoutChange(
  kind: Exclude<AuditEvent['kind'], PeelChange['kind']>,
  { peelId, publicKey, code, detail }: AuditEvent,
  facts: EventFacts,
): MasterEvent {
  const count = numberIn(detail, 'count', 1);
  switch (kind) {
    case 'request.refused':
      return { type: 'refused', what: 'request', ...facts, code, peelId, publicKey, count };
    case 'connection.refused':
      return { type: 'refused', what: 'connection', ...facts, code, peelId, publicKey, count };
    case 'policy.failed':
      return { type: 'policyFailed', ...facts, peelId, publicKey, count };
    case 'peel.recovered': {
      const number = numberIn(detail, 'recovery', 1);
      return { type: 'recovered', ...facts, peelId: peelId ?? '', publicKey, count: number };
    }
    case 'peel.cloned':
      return { type: 'cloned', ...facts, peelId: peelId ?? '', publicKey };
    case 'revocation.incomplete':
    case 'revocation.failed':
      return { type: 'revocationFailed', ...facts, peelId, code };
    case 'revocations.held':
      return { type: 'held', ...facts, peels: numberIn(detail, 'peels', 0), code };
    case 'revocations.resumed':
      return { type: 'resumed', ...facts };
    case 'token.created':
    case 'token.used':
    case 'token.returned':
    case 'token.removed': {
      const what = kind.slice('token.'.length) as 'created' | 'used' | 'returned' | 'removed';
      return { type: 'token', what, ...facts, tokenId: String(detail?.['token'] ?? '') };
    }
    case 'account.restored':
      return { type: 'accountRestored', ...facts };
    case 'signing-key.removed':
      return { type: 'signingKeyRemoved', ...facts };
    case 'audit.trimmed':
      return { type: 'auditTrimmed', ...facts, events: numberIn(detail, 'events', 0) };
    case 'storage.failed':
      return { type: 'storageFailed', ...facts, server: String(detail?.['server'] ?? '') };
    case 'backup.created':
      return { type: 'backup', what: 'created', ...facts };
    case 'backup.restored':
      return { type: 'backup', what: 'restored', ...facts };
    case 'master.invited':
    case 'master.installed':
    case 'master.removed':
    case 'master.renewed': {
      const what = kind.slice('master.'.length) as 'invited' | 'installed' | 'removed' | 'renewed';
      return { type: 'master', what, ...facts, name: String(detail?.['master'] ?? '') };
    }
    case 'admin.added':
    case 'admin.removed': {
      const what = kind === 'admin.added' ? 'added' : 'removed';
      return { type: 'admin', what, ...facts, name: String(detail?.['admin'] ?? '') };
    }
    case 'master.started':
      return { type: 'started', ...facts };
    case 'master.stopped':
      return { type: 'stopped', ...facts };
  }
}

function jwtOf({ publicKey, expiresAt }: IssuedKey): { publicKey: string; expiresAt: number | undefined } {
  return { publicKey, expiresAt: expiresAt === undefined ? undefined : expiresAt * 1000 };
}

function numberIn(detail: AuditEvent['detail'], name: string, otherwise: number): number {
  const value = detail?.[name];
  return typeof value === 'number' ? value : otherwise;
}

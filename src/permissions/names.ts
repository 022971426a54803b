// Every name of the protocol: users, inboxes, subjects, buckets and streams. roles.ts has their permissions.
import { adminOfUserName } from './admin-names.js';
import { validatePeelId } from './peel-id.js';

/** Names of users that are not peels. */
export const MASTER_NAME = 'zester-master';
/** The user of a master's connections for answers. */
export const MASTER_ANSWERS_NAME = 'zester-master-answers';
export const ADMIN_NAME = 'zester-admin';
export const SYSTEM_NAME = 'zester-system';

/** The inbox prefix of masters. No peel can have it: a peel ID does not begin with `_`. */
export const MASTER_INBOX_PREFIX = `_INBOX._${MASTER_NAME}`;
/**
 * The inbox prefix of a master's user for answers. Separate from the masters' own inboxes, which receive JetStream's
 * answers.
 */
export const MASTER_ANSWERS_INBOX_PREFIX = `_INBOX._${MASTER_ANSWERS_NAME}`;
/** The inbox prefix of the owner. An added admin has its own. */
export const ADMIN_INBOX_PREFIX = `_INBOX._${ADMIN_NAME}`;

/** The inbox prefix of an admin. @param user the name in its JWT: that of an added admin, otherwise the owner's */
export function adminInboxPrefix(user: string | undefined): string {
  return adminOfUserName(user) === undefined ? ADMIN_INBOX_PREFIX : `_INBOX.${user}`;
}

/**
 * The inbox prefix of a peel: no peel can read replies to another (docs/nats-facts.md, 18).
 *
 * @example
 * import { peelInboxPrefix } from 'zester';
 *
 * console.log(peelInboxPrefix('web-01')); // _INBOX.web-01
 */
export function peelInboxPrefix(peelId: string): string {
  return `_INBOX.${validatePeelId(peelId)}`;
}

/** The queue group of the masters: each request is answered by one of them. */
export const MASTER_QUEUE = 'zester-master';

/** A peel's requests to masters, on subjects that only it may publish to. */
export type AuthVerb = 'renew' | 'rotate';
/** The requests of a join token's holder and, except `join`, of a recovery credential's holder. */
export type EnrollVerb = 'challenge' | 'join' | 'recover';
/** An admin's requests to masters. */
export type AdminVerb =
  | 'peel.add'
  | 'peel.accept'
  | 'peel.reject'
  | 'peel.revoke'
  | 'peel.rotate'
  | 'peel.label'
  | 'peel.list'
  | 'peel.show'
  | 'token.create'
  | 'token.list'
  | 'token.remove'
  | 'audit'
  | 'status'
  | 'presence.watch'
  | 'master.resume';

/** All of the fleet's subjects. */
export const FLEET_SUBJECTS = 'zester.>';

/** The first token of the fleet's subjects after `zester`. */
export type Space = 'auth' | 'enroll' | 'admin' | 'cmd' | 'event' | 'audit' | 'audited' | 'presence';

/**
 * The spaces whose next token is a peel: a user that may publish there speaks as that peel. `fact`: of earlier
 * versions.
 */
export const PEEL_SPACES = ['cmd', 'event', 'auth', 'fact'] as const;

/** All subjects of a space. */
export function subjectsOf(space: Space): `zester.${Space}.>` {
  return `zester.${space}.>`;
}

/**
 * Subjects as they are granted and subscribed to. `id` is a peel's, `{{name()}}` in the template of a scoped signing
 * key, or `*` for every peel. Not validated: for publishing, use the functions below.
 */
export const subjectFor = {
  /** Events of a peel. */
  event: (id: string, event = '>') => `zester.event.${id}.${event}`,
  /** A peel's answer to a command, identified by the nonce. */
  reply: (id: string, nonce = '*') => `zester.job.${nonce}.return.${id}`,
  /** A peel's commands and, below it, notices of masters. */
  command: (id: string) => `zester.cmd.${id}`,
  auth: (id: string, verb: AuthVerb | '>' = '>') => `zester.auth.${id}.${verb}`,
  /** @param user the name in the JWT of the join token or the recovery credential */
  enroll: (user: string, verb: EnrollVerb | '>' = '>') => `zester.enroll.${user}.${verb}`,
  /** @param id `_`: events about no peel */
  audit: (id: string, kind = '>') => `zester.audit.${id}.${kind}`,
};

/**
 * Subjects of unused grants of earlier versions. Homes keep them: they need no migration, and the lint still checks
 * them.
 */
export const formerSubjectFor = {
  fact: (id: string) => `zester.fact.${id}`,
  ack: (id: string) => `zester.job.*.ack.${id}`,
  cancel: 'zester.job.*.cancel',
};

/** The subject of a peel's request. @throws PeelIdError */
export function authSubject(peelId: string, verb: AuthVerb): string {
  return subjectFor.auth(validatePeelId(peelId), verb);
}

/** @param user the name in the JWT of the join token or the recovery credential */
export function enrollSubject(user: string, verb: EnrollVerb): string {
  return subjectFor.enroll(user, verb);
}

/**
 * The subject of an admin's request. An added admin's name is in the subject, so that the server authenticates the
 * caller.
 *
 * @param user the name in its JWT
 */
export function adminSubject(verb: AdminVerb, user?: string): string {
  return adminOfUserName(user) === undefined ? `zester.admin.${verb}` : `zester.admin.${user}.${verb}`;
}

/** All subjects of an added admin's requests. @param user the name in its JWT */
export function adminSubjects(user: string): string {
  return `zester.admin.${user}.>`;
}

/** The requesting admin, by its user name, and its request. The owner's subjects have no name. */
export function adminCallerOf(subject: string): { caller: string; verb: string } {
  const named = callerOf(subject);
  if (adminOfUserName(named.caller) !== undefined) return named;
  return { caller: ADMIN_NAME, verb: subject.split('.').slice(2).join('.') };
}

/** The subject of a peel's commands. @throws PeelIdError */
export function commandSubject(peelId: string): string {
  return subjectFor.command(validatePeelId(peelId));
}

/** The subject on which a peel receives notices signed by a master. @throws PeelIdError */
export function noticeSubject(peelId: string): string {
  return `${commandSubject(peelId)}.notice`;
}

/** @param peelId undefined: about no peel, or about a user whose name is not a valid peel ID */
export function auditSubject(peelId: string | undefined, kind: string): string {
  return subjectFor.audit(peelId === undefined ? '_' : validatePeelId(peelId), kind);
}

/**
 * The caller and its request, from a subject that the server let it publish to: the third token, and those after it.
 */
export function callerOf(subject: string): { caller: string; verb: string } {
  const [, , caller = '', ...verb] = subject.split('.');
  return { caller, verb: verb.join('.') };
}

/** The subject on which the watching master publishes presence changes to the others. Masters only. */
export const PRESENCE_CHANGES_SUBJECT = 'zester.presence.changes';

/** The subject for requesting that master's complete presence. @param master its ID */
export function presenceOfSubject(master: string): string {
  return `zester.presence.of.${master}`;
}

/** The stream of the audit log, and its subjects. */
export const AUDIT_STREAM = 'zester-audit';
export const AUDIT_SUBJECTS = subjectsOf('audit');
/** The subjects on which the server republishes each stored event, headers only. */
export const STORED_AUDIT_SUBJECTS = subjectsOf('audited');

/** The buckets: a record per peel; a record per join token; short-lived values (challenges, leases); presence. */
export const PEELS_BUCKET = 'zester-peels';
export const FLEET_BUCKET = 'zester-fleet';
export const CHALLENGES_BUCKET = 'zester-challenges';
export const PRESENCE_BUCKET = 'zester-presence';
/** All buckets; masters write them. */
export const BUCKETS = [PEELS_BUCKET, FLEET_BUCKET, CHALLENGES_BUCKET, PRESENCE_BUCKET] as const;

/** The stream of a bucket. */
export function bucketStream(bucket: string): string {
  return `KV_${bucket}`;
}

/** The subjects of a bucket's stream. */
export function bucketSubjects(bucket: string): string {
  return `$KV.${bucket}.>`;
}

/** The streams of a fleet, and their subjects. Masters create, read and write them. */
export const FLEET_STREAMS: ReadonlyMap<string, string> = new Map([
  ...BUCKETS.map((bucket) => [bucketStream(bucket), bucketSubjects(bucket)] as const),
  [AUDIT_STREAM, AUDIT_SUBJECTS],
]);

// Every name of the protocol: users, inboxes, subjects, buckets and streams. Who may use which is in roles.ts.
import { adminOfUserName } from './admin-names.js';
import { validatePeelId } from './peel-id.js';

/** Names of users that are not peels. */
export const MASTER_NAME = 'zester-master';
/** The user over whose connections a master answers. */
export const MASTER_ANSWERS_NAME = 'zester-master-answers';
export const ADMIN_NAME = 'zester-admin';
export const SYSTEM_NAME = 'zester-system';

/** The prefix of the inboxes of masters. No peel has it: a peel id does not begin with `_`. */
export const MASTER_INBOX_PREFIX = `_INBOX._${MASTER_NAME}`;
/** The prefix of the inboxes of the user that a master answers as. Not the masters' own, where JetStream answers them. */
export const MASTER_ANSWERS_INBOX_PREFIX = `_INBOX._${MASTER_ANSWERS_NAME}`;
/** The prefix of the inboxes of the owner. An admin that was added has its own. */
export const ADMIN_INBOX_PREFIX = `_INBOX._${ADMIN_NAME}`;

/** The prefix of an admin's inboxes. @param user the name in its JWT: the owner's unless it is that of an admin that was added */
export function adminInboxPrefix(user: string | undefined): string {
  return adminOfUserName(user) === undefined ? ADMIN_INBOX_PREFIX : `_INBOX.${user}`;
}

/**
 * The prefix of a peel's inboxes: no peel can read the replies to another (docs/nats-facts.md, 18).
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

/** What a peel may ask a master, on subjects that only it may publish to. */
export type AuthVerb = 'renew' | 'rotate';
/** What the holder of a join token may ask, and, but for `join`, that of a recovery credential. */
export type EnrollVerb = 'challenge' | 'join' | 'recover';
/** What an admin may ask a master. */
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

/** The parts of them. */
export type Space = 'auth' | 'enroll' | 'admin' | 'cmd' | 'event' | 'audit' | 'audited' | 'presence';

/** The parts whose next token is a peel: who is granted such a subject speaks as that peel. `fact`: of earlier versions. */
export const PEEL_SPACES = ['cmd', 'event', 'auth', 'fact'] as const;

/** All subjects of a part. */
export function subjectsOf(space: Space): `zester.${Space}.>` {
  return `zester.${space}.>`;
}

/**
 * Subjects as they are granted and subscribed to. `id` is a peel's, `{{name()}}` in the template of a scoped signing key, or
 * `*` for every peel. Nothing is checked: to publish, use the functions below.
 */
export const subjectFor = {
  /** What a peel says. */
  event: (id: string, event = '>') => `zester.event.${id}.${event}`,
  /** Where a peel answers a command: which one, the nonce says. */
  reply: (id: string, nonce = '*') => `zester.job.${nonce}.return.${id}`,
  /** Where a peel takes commands, and below it what masters tell it. */
  command: (id: string) => `zester.cmd.${id}`,
  auth: (id: string, verb: AuthVerb | '>' = '>') => `zester.auth.${id}.${verb}`,
  /** @param user the name in the JWT of the join token or the recovery credential */
  enroll: (user: string, verb: EnrollVerb | '>' = '>') => `zester.enroll.${user}.${verb}`,
  /** @param id `_`: of events about no peel */
  audit: (id: string, kind = '>') => `zester.audit.${id}.${kind}`,
};

/**
 * What earlier versions granted and nothing used. Homes that have it keep it: it needs no migration, and the lint
 * continues judging it.
 */
export const formerSubjectFor = {
  fact: (id: string) => `zester.fact.${id}`,
  ack: (id: string) => `zester.job.*.ack.${id}`,
  cancel: 'zester.job.*.cancel',
};

/** Where the peel of this id asks. @throws PeelIdError */
export function authSubject(peelId: string, verb: AuthVerb): string {
  return subjectFor.auth(validatePeelId(peelId), verb);
}

/** @param user the name in the JWT of the join token or the recovery credential */
export function enrollSubject(user: string, verb: EnrollVerb): string {
  return subjectFor.enroll(user, verb);
}

/**
 * Where an admin asks. One that was added has its name in the subject, so that the server says who asks.
 *
 * @param user the name in its JWT
 */
export function adminSubject(verb: AdminVerb, user?: string): string {
  return adminOfUserName(user) === undefined ? `zester.admin.${verb}` : `zester.admin.${user}.${verb}`;
}

/** The admin that asks, by the name of its user, and what it asks. The owner's subjects have no name. */
export function adminAskerOf(subject: string): { asker: string; verb: string } {
  const named = askerOf(subject);
  if (adminOfUserName(named.asker) !== undefined) return named;
  return { asker: ADMIN_NAME, verb: subject.split('.').slice(2).join('.') };
}

/** Where a peel takes commands. @throws PeelIdError */
export function commandSubject(peelId: string): string {
  return subjectFor.command(validatePeelId(peelId));
}

/** The subject on which a peel receives notices signed by a master. @throws PeelIdError */
export function noticeSubject(peelId: string): string {
  return `${commandSubject(peelId)}.notice`;
}

/** @param peelId undefined: about no peel, or about something that calls itself what no peel may be called */
export function auditSubject(peelId: string | undefined, kind: string): string {
  return subjectFor.audit(peelId === undefined ? '_' : validatePeelId(peelId), kind);
}

/** The caller, and what it asks, of a subject that the server let it publish to: the third token, and those after it. */
export function askerOf(subject: string): { asker: string; verb: string } {
  const [, , asker = '', ...verb] = subject.split('.');
  return { asker, verb: verb.join('.') };
}

/** Where the master that watches tells the others what has changed about who is connected. Masters only. */
export const PRESENCE_CHANGES_SUBJECT = 'zester.presence.changes';

/** Where that master is asked for all of it. @param master its id */
export function presenceOfSubject(master: string): string {
  return `zester.presence.of.${master}`;
}

/** The stream of the audit, and its subjects. */
export const AUDIT_STREAM = 'zester-audit';
export const AUDIT_SUBJECTS = subjectsOf('audit');
/** Where the server says which event it has stored, once it has: the headers only. */
export const STORED_AUDIT_SUBJECTS = subjectsOf('audited');

/** Buckets: a record a peel; a record a join token; what lives for minutes (challenges, leases); who is connected. */
export const PEELS_BUCKET = 'zester-peels';
export const FLEET_BUCKET = 'zester-fleet';
export const CHALLENGES_BUCKET = 'zester-challenges';
export const PRESENCE_BUCKET = 'zester-presence';
/** All of them: masters write them. */
export const BUCKETS = [PEELS_BUCKET, FLEET_BUCKET, CHALLENGES_BUCKET, PRESENCE_BUCKET] as const;

/** The stream that a bucket is. */
export function bucketStream(bucket: string): string {
  return `KV_${bucket}`;
}

/** The subjects that the stream of a bucket takes. */
export function bucketSubjects(bucket: string): string {
  return `$KV.${bucket}.>`;
}

/** The streams of a fleet, and the subjects that each takes. Masters make, read and write them. */
export const FLEET_STREAMS: ReadonlyMap<string, string> = new Map([
  ...BUCKETS.map((bucket) => [bucketStream(bucket), bucketSubjects(bucket)] as const),
  [AUDIT_STREAM, AUDIT_SUBJECTS],
]);

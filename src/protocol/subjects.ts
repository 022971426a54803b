// The subjects, streams and buckets of a fleet.
import { validatePeelId } from '../permissions/peel-id.js';

/** The queue group of the masters: each request is answered by one of them. */
export const MASTER_QUEUE = 'zester-master';

/** What a peel may ask a master, on subjects that only it may publish to. */
export type AuthVerb = 'renew' | 'rotate';

/** Where the peel of this id asks. @throws PeelIdError */
export function authSubject(peelId: string, verb: AuthVerb): string {
  return `zester.auth.${validatePeelId(peelId)}.${verb}`;
}

/** What the holder of a join token may ask. */
export type EnrollVerb = 'challenge' | 'join';

/** @param user the name in the join token's JWT */
export function enrollSubject(user: string, verb: EnrollVerb): string {
  return `zester.enroll.${user}.${verb}`;
}

/** What an admin may ask a master. */
export type AdminVerb =
  | 'peel.add'
  | 'peel.accept'
  | 'peel.reject'
  | 'peel.revoke'
  | 'peel.rotate'
  | 'peel.list'
  | 'peel.show'
  | 'token.create'
  | 'token.list'
  | 'token.remove'
  | 'audit'
  | 'status'
  | 'master.resume';

export function adminSubject(verb: AdminVerb): string {
  return `zester.admin.${verb}`;
}

/** Where a peel takes commands. @throws PeelIdError */
export function commandSubject(peelId: string): string {
  return `zester.cmd.${validatePeelId(peelId)}`;
}

/** Where a peel hears what a master tells it, signed by the master. @throws PeelIdError */
export function noticeSubject(peelId: string): string {
  return `zester.cmd.${validatePeelId(peelId)}.notice`;
}

/** The stream of the audit, and its subjects. */
export const AUDIT_STREAM = 'zester-audit';
export const AUDIT_SUBJECTS = 'zester.audit.>';
/** Where the server says which event it has stored, once it has: the headers only. */
export const STORED_AUDIT_SUBJECTS = 'zester.audited.>';

/** @param peelId undefined: about no peel, or about something that calls itself what no peel may be called */
export function auditSubject(peelId: string | undefined, kind: string): string {
  return `zester.audit.${peelId === undefined ? '_' : validatePeelId(peelId)}.${kind}`;
}

/** Buckets: a record a peel; a record a join token; what lives for minutes (challenges, leases); who is connected. */
export const PEELS_BUCKET = 'zester-peels';
export const FLEET_BUCKET = 'zester-fleet';
export const CHALLENGES_BUCKET = 'zester-challenges';
export const PRESENCE_BUCKET = 'zester-presence';

/** The subjects that the stream of a bucket takes. */
export function bucketSubjects(bucket: string): string {
  return `$KV.${bucket}.>`;
}

/** The streams of a fleet, and the subjects that each takes. */
export const FLEET_STREAMS: ReadonlyMap<string, string> = new Map([
  [AUDIT_STREAM, AUDIT_SUBJECTS],
  ...[PEELS_BUCKET, FLEET_BUCKET, CHALLENGES_BUCKET, PRESENCE_BUCKET].map(
    (bucket) => [`KV_${bucket}`, bucketSubjects(bucket)] as const,
  ),
]);

/**
 * The second token from the end, and the last: who asks and what, of a subject that the server let it publish to.
 */
export function askerOf(subject: string): { asker: string; verb: string } {
  const [, , asker = '', ...verb] = subject.split('.');
  return { asker, verb: verb.join('.') };
}

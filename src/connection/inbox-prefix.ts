// Chooses the inbox prefix that a user's permissions allow.
import type { UserClaims } from '../jwt/claims.js';
import { hasNoPermissions } from '../jwt/scoped.js';
import { ADMIN_INBOX_PREFIX, ADMIN_NAME } from '../permissions/names.js';
import { subjectCovers } from '../permissions/subject.js';

/**
 * The prefix of the inboxes that a user's own permissions allow, where those of its role are not among them: an admin's
 * answers come below `_INBOX._zester-admin`, and the server lets it subscribe nowhere else.
 *
 * @param usual what the connection uses unless the JWT says otherwise
 * @returns `usual`, also for a JWT without permissions of its own
 */
export function inboxPrefixFor({ name, nats }: Pick<UserClaims, 'name' | 'nats'>, usual: string): string {
  const allowed = nats.sub?.allow ?? [];
  // an admin whose permissions are in the template of a signing key
  if (allowed.length === 0 && name === ADMIN_NAME && hasNoPermissions({ nats })) return ADMIN_INBOX_PREFIX;
  if (allowed.length === 0 || allowed.some((subject) => subjectCovers(subject, `${usual}.>`))) return usual;
  const own = allowed.map((subject) => /^(_INBOX\.[^.*>\s]+)\.>$/.exec(subject)?.[1]);
  return own.find((prefix) => prefix !== undefined) ?? usual;
}

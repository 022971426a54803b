// Chooses the inbox prefix that a user's permissions allow.
import type { UserClaims } from '../jwt/claims.js';
import { hasNoPermissions } from '../jwt/scoped.js';
import { ADMIN_INBOX_PREFIX, ADMIN_NAME } from '../permissions/names.js';
import { subjectCovers } from '../permissions/subject.js';

/**
 * The inbox prefix that a user's own permissions allow, if they do not include the usual one: an admin receives answers
 * only below `_INBOX._zester-admin`.
 *
 * @param usual the prefix to use unless the JWT forbids it
 * @returns `usual`, also for a JWT without permissions of its own
 */
export function inboxPrefixFor({ name, nats }: Pick<UserClaims, 'name' | 'nats'>, usual: string): string {
  const allowed = nats.sub?.allow ?? [];
  // an admin with permissions from a signing key's template
  if (allowed.length === 0 && name === ADMIN_NAME && hasNoPermissions({ nats })) return ADMIN_INBOX_PREFIX;
  if (allowed.length === 0 || allowed.some((subject) => subjectCovers(subject, `${usual}.>`))) return usual;
  const own = allowed.map((subject) => /^(_INBOX\.[^.*>\s]+)\.>$/.exec(subject)?.[1]);
  return own.find((prefix) => prefix !== undefined) ?? usual;
}

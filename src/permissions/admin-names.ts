// The names of admins, and of their users.
import { excerpt } from '../text/excerpt.js';
import { JwtError } from '../errors.js';

/** Lower-case letters, digits and hyphens: it is part of a subject token, and of a file name. */
const NAME = /^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/;
const PREFIX = '_zester-admin-';

/** Whether this is a valid name for an admin. */
export function isAdminName(name: string): boolean {
  return NAME.test(name);
}

/**
 * The user name of an admin. No peel can have it: a peel ID does not begin with `_`.
 *
 * @throws JwtError `ERR_JWT_OPTIONS`
 */
export function adminUserName(name: string): string {
  if (isAdminName(name)) return `${PREFIX}${name}`;
  throw new JwtError(
    'ERR_JWT_OPTIONS',
    `"${excerpt(String(name))}" is not a name for an admin: use up to 40 lower-case letters, digits and hyphens`,
  );
}

/** The admin whose user has this name; undefined if it is not an added admin, such as a peel or the owner. */
export function adminOfUserName(user: string | undefined): string | undefined {
  if (user?.startsWith(PREFIX) !== true) return undefined;
  const name = user.slice(PREFIX.length);
  return isAdminName(name) ? name : undefined;
}

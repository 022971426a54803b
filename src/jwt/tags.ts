// Normalizes tags as servers compare them.
import { holdsSeed, JwtError } from '../errors.js';

/**
 * Normalizes tags: trimmed, in lower case, without duplicates. Servers compare them in lower case, so `{{tag(dept)}}`
 * in a template does not match `Dept:ops`.
 *
 * Source: github.com/nats-io/jwt/v2, types.go (`TagList`); nats-server, auth.go (`processUserPermissionsTemplate`).
 *
 * @throws JwtError `ERR_JWT_OPTIONS` for a value that is not a list of strings, and for a seed
 * @example tagClaims(['Dept:Ops', 'dept:ops ']); // ['dept:ops']
 */
export function tagClaims(tags: readonly string[]): string[] {
  if (!Array.isArray(tags) || !tags.every((tag) => typeof tag === 'string' && tag.trim() !== '')) {
    throw new JwtError('ERR_JWT_OPTIONS', 'tags must be a list of non-empty strings');
  }
  // a lower-case seed would not be recognized later, but any reader of the JWT could use it
  if (tags.some((tag) => holdsSeed(tag.toUpperCase()))) {
    throw new JwtError(
      'ERR_JWT_OPTIONS',
      'a seed was given where a tag belongs: anyone with the JWT could read it',
    );
  }
  return [...new Set((tags as string[]).map((tag) => tag.trim().toLowerCase()))];
}

/** The tags in which a home stores the history of its account (`trust/account-jwt/`); not the user's tags. */
export const HISTORY_TAG = /^zester-(history:|removed:|cleared:|unpushed$)/i;

// Tags, as servers compare them.
import { holdsSeed, JwtError } from '../errors.js';

/**
 * Tags as in a JWT: trimmed, in lower case, without duplicates. Servers compare them in lower case, so
 * that `{{tag(dept)}}` of a template finds no `Dept:ops`.
 *
 * Source: github.com/nats-io/jwt/v2, types.go (`TagList`); nats-server, auth.go (`processUserPermissionsTemplate`).
 *
 * @throws JwtError `ERR_JWT_OPTIONS` for what is not a list of texts, and for a seed
 * @example tagClaims(['Dept:Ops', 'dept:ops ']); // ['dept:ops']
 */
export function tagClaims(tags: readonly string[]): string[] {
  if (!Array.isArray(tags) || !tags.every((tag) => typeof tag === 'string' && tag.trim() !== '')) {
    throw new JwtError('ERR_JWT_OPTIONS', 'tags must be a list of non-empty strings');
  }
  // in lower case it would no longer be recognized, and would be as good to whoever reads the JWT
  if (tags.some((tag) => holdsSeed(tag.toUpperCase()))) {
    throw new JwtError(
      'ERR_JWT_OPTIONS',
      'a seed was given where a tag belongs: anyone with the JWT could read it',
    );
  }
  return [...new Set((tags as string[]).map((tag) => tag.trim().toLowerCase()))];
}

/** Tags in which a home keeps the history of its account (`trust/account-jwt/`). They are not tags of the user's. */
export const HISTORY_TAG = /^zester-(history:|removed:|cleared:|unpushed$)/i;

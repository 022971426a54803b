// Authenticates requests to the HTTP interface: by the page's session, or by a bearer token.
import type { IncomingHttpHeaders } from 'node:http';
import { ApiError } from '../../errors.js';
import { lesserRole, type AdminRole } from '../../permissions/admin-roles.js';
import type { Caller } from './caller.js';
import type { Sessions } from './sessions.js';
import type { ApiTokens } from './token-store.js';

/** The sources of authentication. */
export interface Authenticators {
  /** undefined: no page is served. */
  sessions: Sessions | undefined;
  cookieName: string;
  tokens: ApiTokens;
  /** The role of the admin credential: the upper limit for every caller. */
  role: AdminRole;
}

/** @throws ApiError `ERR_API_AUTH` */
export async function authenticate(headers: IncomingHttpHeaders, known: Authenticators): Promise<Caller> {
  const { authorization } = headers;
  if (authorization !== undefined) {
    const [, secret] = /^Bearer ([\x21-\x7e]{1,200})$/i.exec(authorization) ?? [];
    const token = secret === undefined ? undefined : await known.tokens.find(secret);
    if (token === undefined)
      throw new ApiError('ERR_API_AUTH', 'the token is unknown, was removed, or has expired');
    return { kind: 'token', name: token.name, role: lesserRole(token.role, known.role) };
  }
  const key = cookieOf(headers.cookie, known.cookieName);
  if (key !== undefined && known.sessions?.has(key) === true)
    return { kind: 'session', name: 'page', role: known.role };
  throw new ApiError(
    'ERR_API_AUTH',
    known.sessions === undefined
      ? 'no token given: create one with "zester api create-token"'
      : 'not signed in: open the link that "zester ui" prints, or pass a token',
  );
}

/** The value of a cookie. */
export function cookieOf(header: string | undefined, name: string): string | undefined {
  for (const pair of (header ?? '').split(';')) {
    const [key, value] = pair.trim().split('=', 2);
    if (key === name && value !== undefined && /^[A-Za-z0-9_-]{43}$/.test(value)) return value;
  }
  return undefined;
}

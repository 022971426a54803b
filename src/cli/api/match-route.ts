// Finds the route of a method and a path.
import { ApiError } from '../../errors.js';
import type { AnyRoute } from './route.js';

/** @param path below `/api/v1` @throws ApiError `ERR_API_NOT_FOUND`, `ERR_API_METHOD` */
export function matchRoute(
  routes: readonly AnyRoute[],
  method: string,
  path: string,
): { route: AnyRoute; id: string } {
  const matching = routes.flatMap((route) => {
    const id = idIn(route.path, path);
    return id === undefined ? [] : [{ route, id }];
  });
  const found = matching.find(({ route }) => route.method === method);
  if (found !== undefined) return found;
  if (matching.length === 0)
    throw new ApiError('ERR_API_NOT_FOUND', 'no such resource: see /api/v1/openapi.json');
  const methods = matching.map(({ route }) => route.method).join(', ');
  throw new ApiError('ERR_API_METHOD', `this resource supports only ${methods}`);
}

/** The value of `{id}` in a path; an empty string if the route has no `{id}`, undefined if the path does not match. */
function idIn(pattern: string, path: string): string | undefined {
  const wanted = pattern.split('/');
  const given = path.split('/');
  if (wanted.length !== given.length) return undefined;
  let id = '';
  for (const [i, part] of wanted.entries()) {
    const text = given[i] ?? '';
    if (part !== '{id}') {
      if (part !== text) return undefined;
    } else {
      // IDs of peels and tokens need no escapes, so an escaped one is invalid
      if (!/^[A-Za-z0-9_-]{1,128}$/.test(text)) return undefined;
      id = text;
    }
  }
  return id;
}

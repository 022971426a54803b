// RolePermissions: extends or replaces the permissions of a role.
import { JwtError } from '../errors.js';
import { jwtOptionsError } from '../jwt/options-error.js';
import { checkPermissionNames, type PermissionOptions } from '../jwt/permission-options.js';
import { anything, bag, checkOptions } from '../options/check-options.js';

/** Permissions relative to those of a role. */
export type RolePermissions =
  | {
      /** Additional permissions, or a list of them. Their `deny` restricts the role. */
      extend: PermissionOptions | readonly PermissionOptions[];
      replace?: undefined;
    }
  | {
      /** The only permissions of the user: both directions must be given. */
      replace: PermissionOptions;
      extend?: undefined;
    };

const INSTEAD = "give { extend: … } to add to the role's permissions, or { replace: … } to replace them";
const ROLE_PERMISSIONS = bag(
  { extend: anything, replace: anything },
  { instead: { publish: INSTEAD, subscribe: INSTEAD, responses: INSTEAD } },
);

/**
 * Applies {@link RolePermissions} to the permissions of a role.
 *
 * @throws JwtError `ERR_JWT_OPTIONS`
 */
export function withRolePermissions(
  role: PermissionOptions,
  given: RolePermissions | undefined,
): PermissionOptions {
  if (given === undefined) return role;
  checkOptions('permissions', given, ROLE_PERMISSIONS, jwtOptionsError);
  const { extend, replace } = given;
  if ((extend === undefined) === (replace === undefined)) {
    throw new JwtError('ERR_JWT_OPTIONS', `permissions: ${INSTEAD}; exactly one of the two`);
  }
  if (replace !== undefined) {
    checkPermissionNames(replace);
    return replace;
  }
  return extendPermissions(role, ...[extend as PermissionOptions | readonly PermissionOptions[]].flat());
}

/**
 * Combines permissions: the union of all allow lists, minus the union of all deny lists.
 *
 * @throws JwtError `ERR_JWT_OPTIONS`
 * @example
 * import { extendPermissions, kvRead, peelPermissionsTemplate } from 'zester';
 *
 * // the template of the peels' signing key: each peel may read its own keys
 * const permissions = extendPermissions(
 *   peelPermissionsTemplate(),
 *   kvRead({ bucket: 'config', keys: '{{name()}}.>' }),
 * );
 */
export function extendPermissions(
  base: PermissionOptions,
  ...more: readonly PermissionOptions[]
): PermissionOptions {
  const all = [base, ...more];
  for (const one of all) checkPermissionNames(one);
  const publish = merged(all.map((one) => one.publish));
  const subscribe = merged(all.map((one) => one.subscribe));
  const responses = all.findLast((one) => one.responses != null)?.responses;
  return { ...(publish && { publish }), ...(subscribe && { subscribe }), ...(responses && { responses }) };
}

type Lists = NonNullable<PermissionOptions['publish']>;

function merged(given: readonly (Lists | null | undefined)[]): Lists | undefined {
  const lists = given.filter((one) => one != null);
  const [first] = lists;
  if (first === undefined) return undefined;
  const deny = lists.flatMap((one) => one.deny ?? []);
  // no allow list: everything that is not denied is already allowed
  const isOpen = given[0] != null && given[0].allow == null;
  const allow = isOpen ? undefined : lists.flatMap((one) => one.allow ?? []);
  return {
    ...(allow !== undefined && (allow.length > 0 || first.allow != null) && { allow: [...new Set(allow)] }),
    ...(deny.length > 0 && { deny: [...new Set(deny)] }),
  };
}

// Secures an older signing key's template like a new one.
import type { Permissions, UserPermissionLimits } from '../jwt/claims.js';
import { permissionClaims, userLimitClaims } from '../jwt/permission-options.js';
import { joinLimits, joinPermissionsTemplate, peelLimits, peelPermissionsTemplate } from './roles.js';

/** The kinds of a fleet's scoped signing keys. */
export type TemplateRole = 'peel' | 'join';

/** The template of a role's scoped signing key: permissions, limits and connection types. */
export function roleTemplate(role: TemplateRole): UserPermissionLimits {
  const permissions = role === 'peel' ? peelPermissionsTemplate() : joinPermissionsTemplate();
  return {
    ...permissionClaims(permissions),
    ...userLimitClaims(role === 'peel' ? peelLimits() : joinLimits()),
  };
}

/** Default grants of earlier versions that nobody should have: a subject that peels publish and subscribe to. */
const FORMERLY_PUBLISHED = '_INBOX.{{name()}}.>';

/**
 * The template with current protections; the same object if it has them. Removes `responses`, publishing to one's own
 * inbox, and connecting as a leafnode. Sets the role's limits if there are none. Keeps everything else: subjects that
 * an admin added or denied, and limits that an admin chose.
 */
export function secureTemplate(role: TemplateRole, template: UserPermissionLimits): UserPermissionLimits {
  const wanted = roleTemplate(role);
  const secured: UserPermissionLimits = { ...template };
  delete secured.resp;
  const pub = securePublishing(template.pub, wanted.pub);
  if (pub !== undefined) secured.pub = pub;
  for (const limit of ['payload', 'subs'] as const) {
    if ((template[limit] ?? -1) === -1) secured[limit] = wanted[limit] as number;
  }
  secured.allowed_connection_types = secureTypes(
    template.allowed_connection_types,
    wanted.allowed_connection_types,
  );
  return same(secured, template) ? template : secured;
}

function securePublishing(pub: Permissions['pub'], wanted: Permissions['pub']): Permissions['pub'] {
  if (pub?.allow?.includes(FORMERLY_PUBLISHED) !== true) return pub;
  const left = pub.allow.filter((subject) => subject !== FORMERLY_PUBLISHED);
  // an empty list would allow everything
  return { ...pub, allow: left.length > 0 ? left : [...(wanted?.allow ?? [])] };
}

/** No list, or an empty one, means all types. */
function secureTypes(types: readonly string[] = [], wanted: readonly string[] = []): string[] {
  const left = types.filter((type) => !type.toUpperCase().startsWith('LEAFNODE'));
  return left.length > 0 ? left : [...wanted];
}

function same(one: UserPermissionLimits, other: UserPermissionLimits): boolean {
  const keys = new Set([...Object.keys(one), ...Object.keys(other)]) as Set<keyof UserPermissionLimits>;
  return [...keys].every((key) => JSON.stringify(one[key]) === JSON.stringify(other[key]));
}

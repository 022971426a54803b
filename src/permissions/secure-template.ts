// Updates the template of an older signing key with current protections.
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

/** A default grant of earlier versions, which let peels publish to a subject that they also subscribe to. */
const FORMER_PUBLISH_GRANT = '_INBOX.{{name()}}.>';

/**
 * Adds current protections to a template; returns the same object if it has them. Removes `responses`, publishing to
 * one's own inbox, and leafnode connections. Sets the role's limits if there are none. Keeps everything else: subjects
 * that an admin added or denied, and limits that an admin chose.
 */
export function secureTemplate(role: TemplateRole, template: UserPermissionLimits): UserPermissionLimits {
  const current = roleTemplate(role);
  const secured: UserPermissionLimits = { ...template };
  delete secured.resp;
  const pub = securePublishing(template.pub, current.pub);
  if (pub !== undefined) secured.pub = pub;
  for (const limit of ['payload', 'subs'] as const) {
    if ((template[limit] ?? -1) === -1) secured[limit] = current[limit] as number;
  }
  secured.allowed_connection_types = secureTypes(
    template.allowed_connection_types,
    current.allowed_connection_types,
  );
  return same(secured, template) ? template : secured;
}

function securePublishing(pub: Permissions['pub'], current: Permissions['pub']): Permissions['pub'] {
  if (pub?.allow?.includes(FORMER_PUBLISH_GRANT) !== true) return pub;
  const left = pub.allow.filter((subject) => subject !== FORMER_PUBLISH_GRANT);
  // an empty list would allow everything
  return { ...pub, allow: left.length > 0 ? left : [...(current?.allow ?? [])] };
}

/** Removes leafnode types. A missing or empty list would allow all types. */
function secureTypes(types: readonly string[] = [], current: readonly string[] = []): string[] {
  const left = types.filter((type) => !type.toUpperCase().startsWith('LEAFNODE'));
  return left.length > 0 ? left : [...current];
}

function same(one: UserPermissionLimits, other: UserPermissionLimits): boolean {
  const keys = new Set([...Object.keys(one), ...Object.keys(other)]) as Set<keyof UserPermissionLimits>;
  return [...keys].every((key) => JSON.stringify(one[key]) === JSON.stringify(other[key]));
}

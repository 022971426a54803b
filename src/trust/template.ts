// Edits and validates permission templates.
import * as v from 'valibot';
import { SubjectError, TrustError } from '../errors.js';
import type { UserPermissionLimits } from '../jwt/claims.js';
import type { PermissionOptions, SubjectLists } from '../jwt/permission-options.js';
import { validateSubject } from '../permissions/subject.js';

/** The lists of subjects in `PermissionOptions`. */
const LISTS = [
  ['publish', 'allow'],
  ['publish', 'deny'],
  ['subscribe', 'allow'],
  ['subscribe', 'deny'],
] as const;

/** One change to a template. */
export interface TemplateEdit {
  what: 'publish' | 'subscribe';
  list: 'allow' | 'deny';
  subject: string;
  /** Remove it instead of adding it. */
  remove?: boolean;
}

/** The permissions of a template, in the form that `permissions set` accepts. */
export function templatePermissions(template: UserPermissionLimits): PermissionOptions {
  const { pub, sub, resp } = template;
  return {
    ...(pub !== undefined && { publish: lists(pub) }),
    ...(sub !== undefined && { subscribe: lists(sub) }),
    ...(resp !== undefined && {
      responses: { max: resp.max, ttl: resp.ttl === -1 ? -1 : resp.ttl / 1e9 },
    }),
  };
}

function lists({ allow = [], deny = [] }: SubjectLists): {
  allow?: string[];
  deny?: string[];
} {
  return {
    ...(allow.length > 0 && { allow: [...allow] }),
    ...(deny.length > 0 && { deny: [...deny] }),
  };
}

/**
 * Applies changes to permissions.
 *
 * @throws TrustError `ERR_TRUST_PERMISSIONS` when a subject to remove is missing
 */
export function editPermissions(
  home: string,
  permissions: PermissionOptions,
  edits: readonly TemplateEdit[],
): PermissionOptions {
  let edited = permissions;
  for (const { what, list, subject, remove } of edits) {
    const before = edited[what]?.[list] ?? [];
    if (remove === true && !before.includes(subject)) {
      throw bad(home, `"${subject}" is not in the ${list} list for ${what}: see "zester permissions show"`);
    }
    const after =
      remove === true ? before.filter((other) => other !== subject) : [...new Set([...before, subject])];
    edited = { ...edited, [what]: { ...edited[what], [list]: after } };
  }
  return edited;
}

/**
 * Checks that permissions are valid in the template of the peel signing key: valid subjects, templates such as
 * `{{name()}}` as whole tokens, and an allow list for both directions, since servers read an empty one as
 * "everything".
 *
 * @throws TrustError `ERR_TRUST_PERMISSIONS`
 */
export function checkTemplate(home: string, permissions: PermissionOptions): void {
  for (const [what, list] of LISTS) {
    for (const subject of permissions[what]?.[list] ?? []) {
      try {
        // a subscription's subject may be followed by a queue group
        const [plain = '', queue, ...more] = what === 'subscribe' ? subject.split(' ') : [subject];
        validateSubject(plain, { templates: true });
        if (queue !== undefined) validateSubject(queue, { templates: true });
        if (more.length > 0) throw new SubjectError(`"${subject}" has more than a subject and a queue`);
      } catch (cause) {
        if (!(cause instanceof SubjectError)) throw cause;
        throw bad(home, `in the ${list} list for ${what}, ${cause.message}`, cause);
      }
    }
  }
  for (const what of ['publish', 'subscribe'] as const) {
    if ((permissions[what]?.allow ?? []).length > 0) continue;
    if (permissions[what]?.deny?.includes('>') === true) continue;
    throw bad(
      home,
      `no subject would be left to ${what}, and servers read an empty list as "everything": keep one, ` +
        'or deny ">"',
    );
  }
}

/** Removes empty lists from permissions that {@link checkTemplate} has accepted. */
export function withoutEmptyLists(permissions: PermissionOptions): PermissionOptions {
  const { publish, subscribe } = permissions;
  return {
    ...permissions,
    ...(publish !== undefined && { publish: lists(publish) }),
    ...(subscribe !== undefined && { subscribe: lists(subscribe) }),
  };
}

function bad(home: string, why: string, cause?: unknown): TrustError {
  return new TrustError('ERR_TRUST_PERMISSIONS', home, `the template cannot be set: ${why}`, { cause });
}

const subjects = v.optional(v.array(v.string()));
const permissionsSchema = v.strictObject({
  publish: v.optional(v.strictObject({ allow: subjects, deny: subjects })),
  subscribe: v.optional(v.strictObject({ allow: subjects, deny: subjects })),
  responses: v.optional(v.strictObject({ max: v.number(), ttl: v.number() })),
});

/**
 * Parses permissions from JSON: plain ones, or the output of `zester permissions show --json`, which has them in
 * `permissions`. They must not grant `responses`.
 *
 * @throws TrustError `ERR_TRUST_PERMISSIONS`
 */
export function parseTemplate(home: string, json: unknown): PermissionOptions {
  const inner = typeof json === 'object' && json !== null && 'permissions' in json ? json.permissions : json;
  const parsed = v.safeParse(permissionsSchema, inner);
  if (parsed.success) {
    if (parsed.output.responses === undefined) return parsed.output as PermissionOptions;
    throw bad(
      home,
      'with "responses", the sender of a message to a peel can make it publish anything; peels answer commands without ' +
        'them: remove "responses"',
    );
  }
  const [issue] = parsed.issues;
  throw bad(home, `at "${v.getDotPath(issue) ?? '(top)'}": ${issue.message}`);
}

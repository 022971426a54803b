// Plans the migration of an older account and its users to current protections.
import type {
  AccountClaims,
  Permission,
  Permissions,
  UserClaims,
  UserPermissionLimits,
} from '../jwt/claims.js';
import { permissionClaims, userLimitClaims } from '../jwt/permission-options.js';
import { isScopedUser } from '../jwt/scoped.js';
import type { UserJwtOptions } from '../jwt/user.js';
import { secureTemplate } from '../permissions/secure-template.js';
import { subjectCovers } from '../permissions/subject.js';
import { kindOfSigningKey } from './keys/signing-keys.js';
import { FORMER_ADMIN_GRANTS } from '../permissions/roles.js';

/** The replacement of a template. */
export interface TemplateMigration {
  /** The scoped signing key (`A…`). */
  publicKey: string;
  role: 'peel' | 'join';
  before: UserPermissionLimits;
  after: UserPermissionLimits;
}

/** A grant that `zester permissions migrate` leaves alone, because an admin chose it. */
export interface UnsafeGrant {
  /** Its location, for display. */
  where: string;
  why: string;
  fix: string;
}

/** A grant that worked only because of `responses`, and stops working without it. */
export interface LostGrant {
  /** The granted subject that relied on it. */
  subject: string;
  /** What stops working. */
  why: string;
  /** The subject to grant in its place; undefined: none. */
  grant: string | undefined;
}

/** The changes to an account. */
export interface AccountMigration {
  /** The new claims; the same object if nothing changes. */
  claims: AccountClaims;
  templates: TemplateMigration[];
  unsafe: UnsafeGrant[];
  lost: LostGrant[];
}

/**
 * Plans the migration of an account: secures the templates of the signing keys for peels and join tokens, keeps added
 * grants, and reports every other grant of `responses`.
 *
 * @param peelSigningKey the home's peel signing key, whose role may have another name in an adopted account
 */
export function planAccountMigration(claims: AccountClaims, peelSigningKey: string): AccountMigration {
  const templates: TemplateMigration[] = [];
  const unsafe: UnsafeGrant[] = [];
  const keys = (claims.nats.signing_keys ?? []).map((key) => {
    if (typeof key === 'string') return key;
    const kind = kindOfSigningKey(claims, key.key, peelSigningKey);
    if (kind === undefined) {
      if (key.template.resp !== undefined) unsafe.push(unsafeTemplate(key.key, key.role));
      return key;
    }
    const role = kind === 'join-signing' ? 'join' : 'peel';
    const after = secureTemplate(role, key.template);
    if (after === key.template) return key;
    templates.push({ publicKey: key.key, role, before: key.template, after });
    return { ...key, template: after };
  });
  if (claims.nats.default_permissions?.resp !== undefined) {
    unsafe.push({
      where: 'the default permissions of the account',
      why: 'they have responses: a user without its own permissions may publish to any subject that a sender chooses',
      fix: 'remove them with the tool that created the account, and push it',
    });
  }
  const lost = templates.flatMap(({ before }) => grantsLostWithResponses(before));
  if (templates.length === 0) return { claims, templates, unsafe, lost };
  return { claims: { ...claims, nats: { ...claims.nats, signing_keys: keys } }, templates, unsafe, lost };
}

function unsafeTemplate(publicKey: string, role: string | undefined): UnsafeGrant {
  return {
    where: `the template of the signing key ${publicKey}${role === undefined ? '' : ` ("${role}")`}`,
    why: 'it has responses: the sender of a message to its users chooses a subject that they may publish to',
    fix: 'remove them with the tool that created the key, and push the account',
  };
}

/**
 * Finds grants that worked only because `responses` let the user publish to the reply subject of any received message:
 * acknowledgements of JetStream messages, flow control, and answers to requests on its own subjects.
 */
export function grantsLostWithResponses(permissions: Permissions): LostGrant[] {
  if (permissions.resp === undefined) return [];
  const { pub, sub } = permissions;
  const allowed = pub?.allow ?? [];
  // an empty list allows everything, so nothing is lost
  if (allowed.length === 0) return [];
  const publishes = (subject: string) => allowed.some((pattern) => subjectCovers(pattern, subject));
  const lost: LostGrant[] = [];
  for (const subject of allowed) {
    const found = /^\$JS\.API\.CONSUMER\.(?:MSG\.NEXT|CREATE|DURABLE\.CREATE)\.([^.]+)/.exec(subject);
    if (found === null) continue;
    const stream = found[1] === '>' || found[1] === undefined ? '*' : found[1];
    const ack = `$JS.ACK.${stream}.>`;
    if (!publishes(ack)) {
      lost.push({
        subject,
        why: 'messages could be acknowledged only through responses: they would be redelivered forever',
        grant: ack,
      });
    }
    const flow = `$JS.FC.${stream}.>`;
    if (!subject.includes('.MSG.NEXT.') && !publishes(flow)) {
      lost.push({
        subject,
        why: 'flow control was answered only through responses: ordered and push consumers would stall',
        grant: flow,
      });
    }
  }
  for (const subject of sub?.allow ?? []) {
    if (/^(zester\.|_INBOX\.|\$JS\.)/.test(subject)) continue;
    lost.push({
      subject,
      why: 'requests there were answered only through responses: callers would get no answer',
      grant: undefined,
    });
  }
  return lost;
}

/**
 * The ways in which a user's own JWT is less safe than a new one; empty: none, or its permissions are in a template.
 *
 * @param claims the claims of a user of the account
 */
export function weaknessesOf(claims: UserClaims): string[] {
  if (isScopedUser(claims)) return [];
  const { resp, pub, sub, allowed_connection_types: types = [] } = claims.nats;
  const weaknesses: string[] = [];
  if (resp !== undefined) weaknesses.push('has responses');
  const subjects = [...(pub?.allow ?? []), ...(sub?.allow ?? [])];
  // for users outside the fleet, their owner decides how they connect
  const isOfFleet = subjects.some((subject) => subject.startsWith('zester.'));
  if (isOfFleet && (types.length === 0 || types.some((type) => /^leafnode/i.test(type)))) {
    weaknesses.push('may connect as a leafnode');
  }
  return weaknesses;
}

/**
 * Whether a JWT of a master or an admin has the grants of a new one, ignoring unused grants of earlier versions.
 */
export function isAsIssuedNow(claims: UserClaims, wanted: UserJwtOptions): boolean {
  const { pub, sub, resp, allowed_connection_types: types } = claims.nats;
  const granted = permissionClaims(wanted.permissions ?? {});
  const limits = userLimitClaims(wanted);
  return (
    same(withoutFormer(pub), granted.pub) &&
    same(withoutFormer(sub), granted.sub) &&
    same(resp, granted.resp) &&
    same(types, limits.allowed_connection_types)
  );
}

function withoutFormer(permission: Permission | undefined): Permission | undefined {
  if (permission?.allow === undefined) return permission;
  return {
    ...permission,
    allow: permission.allow.filter((subject) => !FORMER_ADMIN_GRANTS.includes(subject)),
  };
}

function same(one: unknown, other: unknown): boolean {
  return JSON.stringify(one ?? null) === JSON.stringify(other ?? null);
}

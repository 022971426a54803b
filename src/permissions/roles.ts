// The permissions of peels, masters, admins and join tokens.
import * as v from 'valibot';
import { JwtError } from '../errors.js';
import { jwtOptionsError } from '../jwt/options-error.js';
import { VALIDITY_ENTRIES, type ValidityOptions } from '../jwt/validity.js';
import { anything, bag, checkOptions, flag, type Entries } from '../options/check-options.js';
import {
  USER_LIMIT_ENTRIES,
  type ConnectionType,
  type PermissionOptions,
  type UserLimitOptions,
} from '../jwt/permission-options.js';
import type { UserJwtOptions } from '../jwt/user.js';
import { validatePublicKey } from '../nkeys/validate.js';
import { adminUserName } from './admin-names.js';
import { ADDED_ROLES, hasRole, roleTag, verbsOf, type AddedRole } from './admin-roles.js';
import {
  ADMIN_INBOX_PREFIX,
  ADMIN_NAME,
  adminInboxPrefix,
  adminSubject,
  BUCKETS,
  bucketSubjects,
  FLEET_STREAMS,
  FLEET_SUBJECTS,
  formerSubjectFor,
  MASTER_ANSWERS_INBOX_PREFIX,
  MASTER_ANSWERS_NAME,
  MASTER_INBOX_PREFIX,
  MASTER_NAME,
  subjectFor,
  subjectsOf,
} from './names.js';
import { validatePeelId } from './peel-id.js';
import { quoted } from '../text/quoted.js';
import { withRolePermissions, type RolePermissions } from './role-permissions.js';

/** The role of the scoped signing keys for peels; an adopted account may use another name. */
export const PEEL_ROLE = 'peel';
/** The role of the scoped signing keys for join tokens. */
export const JOIN_ROLE = 'join';

/**
 * The connection types of users of the fleet. No leafnodes: up to 2.10, the server trusts a leafnode to check its own
 * publishing, and in every version a leafnode can join the masters' queue group and swallow requests.
 */
export const PEEL_CONNECTION_TYPES: readonly ConnectionType[] = ['STANDARD', 'WEBSOCKET'];

/**
 * The default permissions of a peel: publish as itself and read its own messages (docs/design.md, "Identity of a
 * peel").
 *
 * They have no `responses`, which would let the sender of a message, even the peel itself, choose a subject that the
 * peel may then publish to. A peel answers on `zester.job.<nonce>.return.<ID>`, to which its callers subscribe
 * (`requestPeel`). It may not publish to its own inbox: nothing needs that, and a peel should not be able to both
 * publish and subscribe to the same subject.
 *
 * @throws PeelIdError
 * @example
 * import { peelPermissions } from 'zester';
 *
 * console.log(peelPermissions('web-01').subscribe?.allow?.includes('_INBOX.web-01.>')); // true
 */
export function peelPermissions(peelId: string): PermissionOptions {
  return peelPermissionsOfToken(validatePeelId(peelId));
}

/**
 * {@link peelPermissions} as the template of a scoped signing key: the server fills in the user's name at connect.
 * Before you sign with such a key, validate the name (`validatePeelId`), since it becomes part of subjects.
 *
 * @example
 * import { peelPermissionsTemplate } from 'zester';
 *
 * console.log(peelPermissionsTemplate().subscribe?.allow?.includes('_INBOX.{{name()}}.>')); // true
 */
export function peelPermissionsTemplate(): PermissionOptions {
  return peelPermissionsOfToken('{{name()}}');
}

function peelPermissionsOfToken(id: string): PermissionOptions {
  return {
    publish: { allow: [subjectFor.event(id), subjectFor.reply(id), subjectFor.auth(id)] },
    subscribe: { allow: [subjectFor.command(id), `${subjectFor.command(id)}.>`, `_INBOX.${id}.>`] },
  };
}

/**
 * The limits of a peel, for its signing key's template, or for its own JWT if that has the permissions. A peel must not
 * starve others, and needs neither large messages nor many subscriptions.
 *
 * @example
 * import { peelLimits } from 'zester';
 *
 * const { subscriptions, payload } = peelLimits();
 * console.log(subscriptions, payload); // …
 */
export function peelLimits(): UserLimitOptions {
  return { payload: 128 * 1024, subscriptions: 256, allowedConnectionTypes: PEEL_CONNECTION_TYPES };
}

/**
 * A master's JetStream API calls on its own streams: create a stream, get its info, get a message, and read it with its
 * own consumer. None of them deletes, purges or changes a stream.
 */
function masterStreamCalls(stream: string): string[] {
  return [
    `$JS.API.STREAM.CREATE.${stream}`,
    `$JS.API.STREAM.INFO.${stream}`,
    `$JS.API.STREAM.MSG.GET.${stream}`,
    `$JS.API.CONSUMER.CREATE.${stream}.>`,
    `$JS.API.CONSUMER.INFO.${stream}.*`,
    `$JS.API.CONSUMER.DELETE.${stream}.*`,
    `$JS.API.CONSUMER.MSG.NEXT.${stream}.*`,
    `$JS.FC.${stream}.>`,
  ];
}

/**
 * The permissions of a master: command peels, receive from and answer them, and store the fleet's state in JetStream.
 * It may publish to every inbox instead of having `responses`: with those, the server tracks each delivered message
 * that has a reply subject, as all JetStream messages do, and searches thousands of them for each new one
 * (docs/nats-facts.md, 26).
 *
 * It may not publish as a peel, an admin or a join token, nor as the server that reports stored audit events. These
 * subjects are explicitly denied, since a peel of an older version recognizes a master by the grant `zester.>`.
 *
 * @example
 * import { masterPermissions } from 'zester';
 *
 * console.log(masterPermissions().publish?.deny?.includes('zester.admin.>')); // true
 */
export function masterPermissions(): PermissionOptions {
  return {
    publish: {
      allow: [
        FLEET_SUBJECTS,
        '_INBOX.>',
        '$JS.API.INFO',
        ...[...FLEET_STREAMS.keys()].flatMap(masterStreamCalls),
        ...BUCKETS.map(bucketSubjects),
      ],
      // peels of homes from an earlier version may still publish facts
      deny: [
        ...(['auth', 'enroll', 'admin', 'event'] as const).map(subjectsOf),
        formerSubjectFor.fact('>'),
        subjectsOf('audited'),
      ],
    },
    subscribe: { allow: [FLEET_SUBJECTS, `${MASTER_INBOX_PREFIX}.>`, '$SRV.>'] },
  };
}

/**
 * The permissions of a master's user for answers: receive requests, and answer to inboxes. Even an unchecked reply
 * subject could reach nothing else.
 */
export function masterAnswersPermissions(): PermissionOptions {
  return {
    publish: { allow: ['_INBOX.>'] },
    subscribe: {
      allow: [
        ...(['auth', 'enroll', 'admin'] as const).map(subjectsOf),
        '$SRV.>',
        `${MASTER_ANSWERS_INBOX_PREFIX}.>`,
      ],
    },
  };
}

/** An added admin, not the owner. */
export interface NamedAdmin {
  /** Up to 40 lower-case letters, digits and hyphens. */
  name: string;
  /** The role of the admin (docs/admins.md). */
  role: AddedRole;
}

/**
 * The permissions of an admin: send requests to masters, call peels, and receive answers and decisions.
 *
 * @param admin absent: the owner, who may do everything; all owners share an inbox
 * @throws JwtError `ERR_JWT_OPTIONS` for an invalid name or role
 * @example
 * import { adminPermissions } from 'zester';
 *
 * console.log(adminPermissions().publish?.allow?.includes('zester.admin.>')); // true
 * const { publish } = adminPermissions({ name: 'alice', role: 'viewer' });
 * console.log(publish?.allow?.includes('zester.admin._zester-admin-alice.peel.list')); // true
 */
export function adminPermissions(admin?: NamedAdmin): PermissionOptions {
  if (admin !== undefined) return namedAdminPermissions(admin);
  return {
    publish: { allow: [subjectsOf('admin'), subjectsOf('cmd'), '$SRV.>'] },
    subscribe: {
      allow: [subjectsOf('event'), subjectFor.reply('*'), subjectsOf('audit'), `${ADMIN_INBOX_PREFIX}.>`],
    },
  };
}

/**
 * Every request subject of the role is listed with the admin's own name, so the admin cannot send requests under
 * another name.
 */
function namedAdminPermissions({ name, role }: NamedAdmin): PermissionOptions {
  const user = adminUserName(name);
  if (!ADDED_ROLES.includes(role))
    throw new JwtError('ERR_JWT_OPTIONS', `${quoted(role)} is not a role: choose ${ADDED_ROLES.join(', ')}`);
  const callsPeels = hasRole(role, 'operator');
  return {
    publish: {
      allow: [
        ...verbsOf(role).map((verb) => adminSubject(verb, user)),
        ...(callsPeels ? [subjectsOf('cmd')] : []),
      ],
    },
    subscribe: {
      allow: [
        ...(callsPeels ? [subjectsOf('event'), subjectFor.reply('*')] : []),
        subjectsOf('audit'),
        `${adminInboxPrefix(user)}.>`,
      ],
    },
  };
}

/** Unused admin grants of earlier versions. */
export const FORMER_ADMIN_GRANTS: readonly string[] = [
  formerSubjectFor.cancel,
  formerSubjectFor.fact('>'),
  formerSubjectFor.ack('*'),
];

/**
 * The permissions of a join token's user, as the template of the scoped signing key `join`: request to join, and read
 * the answers. The token's name is in every subject, so a token cannot send requests as another one.
 */
export function joinPermissionsTemplate(): PermissionOptions {
  return {
    publish: { allow: [subjectFor.enroll('{{name()}}')] },
    subscribe: { allow: ['_INBOX.{{name()}}.>'] },
  };
}

/**
 * The limits of the template `join`. Many hosts may share a token, and a leaked one must not allow a flood. A join
 * request has a few hundred bytes and needs one subscription.
 */
export function joinLimits(): UserLimitOptions {
  return { payload: 16 * 1024, subscriptions: 10, allowedConnectionTypes: PEEL_CONNECTION_TYPES };
}

/** The ID of a join token: not a secret. */
export const TOKEN_ID = /^[A-Za-z0-9]{8,40}$/;
const JOIN_PREFIX = '_zester-join-';

/**
 * The name of a join token's user. No peel can have it: a peel ID does not begin with `_`.
 *
 * @param tokenId 8 to 40 letters and digits
 * @throws JwtError `ERR_JWT_OPTIONS`
 */
export function joinName(tokenId: string): string {
  if (typeof tokenId !== 'string' || !TOKEN_ID.test(tokenId)) {
    throw new JwtError(
      'ERR_JWT_OPTIONS',
      `${quoted(tokenId)} is not the ID of a join token: it has 8 to 40 letters (A-Z, a-z) and digits`,
    );
  }
  return `${JOIN_PREFIX}${tokenId}`;
}

/** The ID of the join token whose user has this name; undefined: not a join token. */
export function tokenIdOfName(name: string): string | undefined {
  if (!name.startsWith(JOIN_PREFIX)) return undefined;
  const tokenId = name.slice(JOIN_PREFIX.length);
  return TOKEN_ID.test(tokenId) ? tokenId : undefined;
}

/** The inbox prefix of a join token's user. @throws JwtError `ERR_JWT_OPTIONS` */
export function joinInboxPrefix(tokenId: string): string {
  return `_INBOX.${joinName(tokenId)}`;
}

/**
 * The options of a join token's user JWT: scoped, so the account's scoped signing key `join` must sign it.
 *
 * @param accountPublicKey the account (`A…`) to join
 * @param options.expiry the lifetime in seconds; absent: never expires
 * @throws JwtError `ERR_JWT_OPTIONS`, KeyError
 */
export function joinUserJwtOptions(
  tokenId: string,
  accountPublicKey: string,
  options: Omit<RoleUserJwtOptions, 'scoped' | 'permissions' | 'limits'> = {},
): UserJwtOptions {
  const none = (): RoleGrants => ({ permissions: {}, limits: {} });
  return roleOptions(joinName(tokenId), accountPublicKey, none, { ...options, scoped: true });
}

/** The options for the JWT of a peel, a master or an admin. */
export interface RoleUserJwtOptions extends ValidityOptions {
  /** Lower-cased and deduplicated. */
  tags?: readonly string[] | undefined;
  /**
   * The signer is the account's *scoped* signing key for this role: its template, not the JWT, has the permissions.
   */
  scoped?: boolean | undefined;
  /**
   * Extends or replaces the role's default permissions (not with `scoped`): `{ extend: kvRead({ bucket: 'config', keys:
   * 'web-01.>' }) }`.
   */
  permissions?: RolePermissions | undefined;
  /** Overrides individual default limits of the role (not with `scoped`); -1: no limit. */
  limits?: UserLimitOptions | undefined;
}

/** {@link RoleUserJwtOptions} plus the positional arguments of {@link peelUserJwtOptions}. */
export interface PeelJwtOptions extends RoleUserJwtOptions {
  /** One NATS token. */
  peelId: string;
  /** The account (`A…`) of the peel. */
  accountPublicKey: string;
}

/**
 * The options of a peel's user JWT, with the peel's ID as its name, and only the peel's own subjects.
 *
 * @param peelId one NATS token
 * @param accountPublicKey the account (`A…`) of the peel
 * @throws PeelIdError, KeyError; JwtError `ERR_JWT_OPTIONS` for invalid permissions
 * @example
 * import { createUserJwt, generateKeyBundle, peelUserJwtOptions } from 'zester';
 *
 * const account = generateKeyBundle('account');
 * const options = peelUserJwtOptions('web-01', account.publicKey, { expirySeconds: 86_400 });
 * const jwt = createUserJwt(generateKeyBundle('user'), account, options);
 */
export function peelUserJwtOptions(
  peelId: string,
  accountPublicKey: string,
  options?: RoleUserJwtOptions,
): UserJwtOptions;
/** The same, with an options object. */
export function peelUserJwtOptions(options: PeelJwtOptions): UserJwtOptions;
export function peelUserJwtOptions(
  first: string | PeelJwtOptions,
  second = '',
  third: RoleUserJwtOptions = {},
): UserJwtOptions {
  const isNamed = typeof first === 'object' && first !== null && 'peelId' in first;
  if (isNamed) checkOptions('peelUserJwtOptions', first, PEEL_JWT, jwtOptionsError);
  const { peelId, accountPublicKey, ...options } = isNamed
    ? first
    : { ...third, peelId: first, accountPublicKey: second };
  const grants = () => ({ permissions: peelPermissions(peelId), limits: peelLimits() });
  return roleOptions(validatePeelId(peelId), accountPublicKey, grants, options);
}

/**
 * The options of a master's user JWT.
 *
 * @throws KeyError
 * @example
 * import { createUserJwt, generateKeyBundle, masterUserJwtOptions, writeCredsFile } from 'zester';
 *
 * const account = generateKeyBundle('account');
 * const user = generateKeyBundle('user');
 * const jwt = createUserJwt(user, account, masterUserJwtOptions(account.publicKey));
 * await writeCredsFile('second-master.creds', jwt, user.seed);
 */
export function masterUserJwtOptions(
  accountPublicKey: string,
  options: RoleUserJwtOptions = {},
): UserJwtOptions {
  const grants = () => ({ permissions: masterPermissions(), limits: UNLIMITED });
  return roleOptions(MASTER_NAME, accountPublicKey, grants, options);
}

/** The options of the user JWT for a master's answers. @throws KeyError */
export function masterAnswersUserJwtOptions(
  accountPublicKey: string,
  options: RoleUserJwtOptions = {},
): UserJwtOptions {
  const grants = () => ({ permissions: masterAnswersPermissions(), limits: UNLIMITED });
  return roleOptions(MASTER_ANSWERS_NAME, accountPublicKey, grants, options);
}

/**
 * The options of an admin's user JWT.
 *
 * @throws KeyError; JwtError `ERR_JWT_OPTIONS` for an invalid name or role
 * @example
 * import {
 *   adminUserJwtOptions,
 *   createUserJwt,
 *   generateKeyBundle,
 *   loadKeyBundleFromFile,
 *   writeCredsFile,
 * } from 'zester';
 *
 * const account = await loadKeyBundleFromFile('account', 'account.seed');
 * const user = generateKeyBundle('user');
 * const admin = { name: 'inventory', role: 'operator' } as const;
 * const options = adminUserJwtOptions(account.publicKey, { admin, expirySeconds: 90 * 86_400 });
 * const jwt = createUserJwt(user, account, options);
 * await writeCredsFile('inventory.creds', jwt, user.seed);
 */
export function adminUserJwtOptions(
  accountPublicKey: string,
  options: AdminUserJwtOptions = {},
): UserJwtOptions {
  const { admin, ...rest } = options;
  const grants = () => ({ permissions: adminPermissions(admin), limits: adminLimits(admin) });
  if (admin === undefined) return roleOptions(ADMIN_NAME, accountPublicKey, grants, rest);
  // the template of an admin signing key has the owner's permissions
  if (rest.scoped === true) throw jwtOptionsError('an admin with a role cannot be scoped: omit "scoped"');
  const tags = [...(rest.tags ?? []), roleTag(admin.role)];
  return roleOptions(adminUserName(admin.name), accountPublicKey, grants, { ...rest, tags });
}

/** The options for the JWT of an admin. */
export interface AdminUserJwtOptions extends RoleUserJwtOptions {
  /** An admin with its own name, role and inboxes; absent: the owner. */
  admin?: NamedAdmin | undefined;
}

interface RoleGrants {
  permissions: PermissionOptions;
  limits: UserLimitOptions;
}

/**
 * The limits of an admin's JWT. Each event of the audit log is sent once for each subscription to it, and whoever may only
 * read needs few of those.
 */
function adminLimits(admin: NamedAdmin | undefined): UserLimitOptions {
  if (admin === undefined) return UNLIMITED;
  if (hasRole(admin.role, 'operator')) return { ...UNLIMITED, subscriptions: 10_000 };
  return { ...UNLIMITED, payload: 128 * 1024, subscriptions: 256 };
}

/** The limits of masters and the owner: none, but no leafnodes either. */
const UNLIMITED: UserLimitOptions = { allowedConnectionTypes: PEEL_CONNECTION_TYPES };

/** @internal The options of {@link RoleUserJwtOptions}. */
export const ROLE_ENTRIES = {
  ...VALIDITY_ENTRIES,
  tags: anything,
  scoped: flag,
  permissions: anything,
  limits: v.nullish(bag(USER_LIMIT_ENTRIES)),
} satisfies Entries<RoleUserJwtOptions>;
const ROLE = bag(ROLE_ENTRIES);
const PEEL_JWT = bag(
  { ...ROLE_ENTRIES, peelId: anything, accountPublicKey: anything } satisfies Entries<PeelJwtOptions>,
  { required: ['peelId', 'accountPublicKey'] },
);

function roleOptions(
  name: string,
  accountPublicKey: string,
  grants: () => RoleGrants,
  options: RoleUserJwtOptions,
): UserJwtOptions {
  validatePublicKey(accountPublicKey, 'account');
  checkOptions('a user JWT of a role', options, ROLE, jwtOptionsError);
  const { scoped, permissions: own, limits: ownLimits, ...rest } = options;
  const base = { ...rest, name, issuerAccount: accountPublicKey };
  // a scoped user has permissions and limits in the template of its signing key, not in its JWT
  if (scoped === true) return { ...base, scoped };
  const { permissions, limits } = grants();
  return { ...withLimits(limits, ownLimits), ...base, permissions: withRolePermissions(permissions, own) };
}

/** Overrides default limits. */
function withLimits(limits: UserLimitOptions, given: UserLimitOptions = {}): UserLimitOptions {
  return { ...limits, ...named(given) };
}

/** Omits undefined and null options. */
function named<T extends object>(options: T | undefined): Partial<T> {
  const entries = Object.entries(options ?? {}).filter(([, value]) => value !== undefined && value !== null);
  return Object.fromEntries(entries) as Partial<T>;
}

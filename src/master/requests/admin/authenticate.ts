// Authenticates the admin who signed a request.
import type { MsgHdrs } from '@nats-io/nats-core';
import { FleetError, ZesterError } from '../../../errors.js';
import type { Actor } from '../../../protocol/records/actor.js';
import { openRequest } from '../../../protocol/signed-request.js';
import { validateChainOfUser } from '../../../jwt/chain.js';
import type { AccountClaims, Permissions, UserClaims } from '../../../jwt/claims.js';
import { adminOfUserName } from '../../../permissions/admin-names.js';
import {
  ADDED_ROLES,
  lesserRole,
  mayRequest,
  roleOfTags,
  type AddedRole,
} from '../../../permissions/admin-roles.js';
import { ADMIN_NAME, type AdminVerb } from '../../../permissions/names.js';
import { subjectCovers } from '../../../permissions/subject.js';
import type { MasterContext } from '../../context.js';

/** An unknown caller: the server let it publish, and nothing else is known. */
export const UNKNOWN_ACTOR: Actor = { kind: 'unknown', name: 'unsigned' };

/** An authenticated admin, and the nonce of its request. */
export interface AdminRequest {
  by: Actor & { publicKey: string };
  nonce: string;
}

/** An admin request as received. */
export interface SignedMessage {
  message: { subject: string; data: Uint8Array; headers?: MsgHdrs | undefined };
  /** The user in the subject. */
  caller: string;
  /** undefined: there is no such request. */
  name: AdminVerb | undefined;
}

/**
 * Returns the admin that signed a request. The server has enforced the publish permission. This check identifies the
 * admin, and verifies that its own JWT and role allow the request, so that a key that is not an admin's, or another
 * admin's name, gives no access.
 *
 * The time of the request is compared with this host's clock, not with `now`: a test may move `now`, but not the
 * caller's clock.
 *
 * @throws FleetError `ERR_FLEET_PROOF` when it is not signed, `ERR_FLEET_CLOCK` when its time differs too much from
 *   this host's, `ERR_FLEET_DENIED` when the signer is not an admin
 */
export function authenticateAdmin(
  { trust, now }: Pick<MasterContext, 'trust' | 'now'>,
  { message, caller, name }: SignedMessage,
): AdminRequest {
  const { claims, nonce } = openRequest(message, Date.now());
  const denied = (why: string, cause?: unknown) =>
    new FleetError(
      'ERR_FLEET_DENIED',
      `${claims.sub} is not authorized for this request: ${why}; use an admin's credentials`,
      { cause },
    );
  try {
    validateChainOfUser(trust.domain.operatorJwt, trust.domain.accountJwt, claims, { now });
  } catch (cause) {
    if (!(cause instanceof ZesterError)) throw cause;
    throw denied(cause.message, cause);
  }
  if (!mayPublish(permissionsOf(claims, trust.claims), message.subject)) {
    throw denied(`its JWT does not allow it to publish "${message.subject}"`);
  }
  const added = adminOfUserName(claims.name);
  // the owner's subjects have no name, and added admins do not publish there
  if ((added === undefined ? ADMIN_NAME : claims.name) !== caller)
    throw denied(`it is signed by "${claims.name ?? ''}", not by the user in its subject`);
  if (added === undefined)
    return { by: { kind: 'admin', name: claims.name ?? '', publicKey: claims.sub }, nonce };
  const role = roleOfTags(claims.nats.tags);
  if (role === undefined) throw denied('its JWT has no known role');
  // its JWT grants what the role allowed at issue time
  if (name !== undefined && !mayRequest(role, name))
    throw denied(`the role ${role} does not include "${name}"`);
  return { by: { kind: 'admin', name: added, publicKey: claims.sub, role }, nonce };
}

/**
 * An admin whose request is judged by the rules of a lower role: a program that serves several people, such as `zester
 * api`, sends each one's role. It cannot raise the admin's own.
 *
 * @throws FleetError `ERR_FLEET_DENIED`
 */
export function actingAs(by: Actor, asRole: AddedRole | undefined, verb: AdminVerb): Actor {
  if (asRole === undefined) return by;
  const own = by.role === undefined ? 'owner' : (ADDED_ROLES.find((role) => role === by.role) ?? 'viewer');
  const role = lesserRole(own, asRole);
  if (mayRequest(role, verb)) return { ...by, role };
  throw new FleetError('ERR_FLEET_DENIED', `the role ${role} does not include "${verb}"`);
}

/**
 * The claimed name of an admin that was not authenticated: the server lets only that admin and the owner publish there.
 */
export function claimedAdmin(caller: string): Actor {
  const added = adminOfUserName(caller);
  return added === undefined ? UNKNOWN_ACTOR : { kind: 'unknown', name: added };
}

/** A user's permissions; for a user of a scoped signing key, those of the key's template. */
function permissionsOf(user: UserClaims, account: AccountClaims): Permissions {
  const scope = (account.nats.signing_keys ?? []).find(
    (key) => typeof key !== 'string' && key.key === user.iss,
  );
  if (scope !== undefined && typeof scope !== 'string') return scope.template;
  return hasPermissions(user.nats) ? user.nats : (account.nats.default_permissions ?? {});
}

/** A user without its own permissions has the account's default ones. */
function hasPermissions({ pub, sub, resp }: Permissions): boolean {
  const lists = [pub?.allow, pub?.deny, sub?.allow, sub?.deny];
  return resp !== undefined || lists.some((list) => (list?.length ?? 0) > 0);
}

function mayPublish({ pub, resp }: Permissions, subject: string): boolean {
  const { allow = [], deny = [] } = pub ?? {};
  if (deny.some((pattern) => subjectCovers(pattern, subject))) return false;
  // an empty list allows everything, except for a user that may only respond
  if (allow.length === 0) return resp === undefined;
  return allow.some((pattern) => subjectCovers(pattern, subject));
}

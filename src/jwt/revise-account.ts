// reviseAccountJwt: re-signs an account JWT with changes.
import * as v from 'valibot';
import { signingKeyId } from './signing-key-ids.js';
import { anything, bag, checkOptions, listOf, object, text, type Entries } from '../options/check-options.js';
import type { KeyBundle } from '../nkeys/key-bundle.js';
import { validatePublicKey } from '../nkeys/validate.js';
import {
  ACCOUNT_ENTRIES,
  NO_ACCOUNT_LIMITS,
  signingKeyClaim,
  withAccountLimits,
  withJetStream,
  type AccountLimitOptions,
  type JetStreamLimitOptions,
  type ScopedSigningKey,
} from './account.js';
import { checkAccountIssuer } from './chain.js';
import type { AccountClaims, ScopedSigningKeyClaim } from './claims.js';
import { decodeAccountJwt, decodeOperatorJwt } from './decode.js';
import { jwtOptionsError } from './options-error.js';
import { permissionClaims, type PermissionOptions } from './permission-options.js';
import { resign } from './resign.js';
import {
  isReplacement,
  refuseSeeds,
  REVISION_ENTRIES,
  withRevision,
  type ListRevision,
  type Revision,
} from './revise.js';
import { PERMANENT } from './revoke-up-to.js';
import {
  checkedRevocations,
  checkRevocableKey,
  EVERYONE,
  mergeRevocations,
  withoutRevocations,
} from './revocations.js';
import { wrongSigner } from './signer.js';
import { nowSeconds, type Clock } from './time.js';

/** A signing key: a public key (`A…`), a scoped one as for `createAccountJwt`, or one from decoded claims. */
export type SigningKeyOption = string | ScopedSigningKey | ScopedSigningKeyClaim;

/** Changes to an account JWT. Everything else is kept, including claims that Zester does not know. */
export interface AccountRevision extends Revision {
  description?: string | null | undefined;
  /**
   * Users (`U…`, or `*` for all) to revoke. A list revokes users permanently, including their future JWTs, and `*` up
   * to now; to choose, give the time up to which issued JWTs are revoked, in seconds since 1970. An existing revocation
   * with a later time stays.
   */
  revoke?: readonly string[] | Readonly<Record<string, number>> | undefined;
  /** Users (`U…`, or `*`) whose revocation is removed. */
  unrevoke?: readonly string[] | undefined;
  /**
   * All signing keys, or those to add and remove. An existing key given only by its public key keeps its scope.
   */
  signingKeys?: ListRevision<SigningKeyOption, string> | undefined;
  /** Limits by name; others stay. */
  limits?: AccountLimitOptions | undefined;
  /** `true`: JetStream without limits; `false`: none; an object: limits by name, others stay. */
  jetStream?: boolean | JetStreamLimitOptions | undefined;
  /** Default permissions of users whose JWT has none; null: everything is allowed. */
  defaultPermissions?: PermissionOptions | null | undefined;
  /** All imports, as in the JWT. */
  imports?: readonly object[] | undefined;
  /** All exports, as in the JWT. */
  exports?: readonly object[] | undefined;
  /** All subject mappings, as in the JWT. */
  mappings?: Readonly<Record<string, readonly object[]>> | undefined;
  /** The operator JWT. If given, the operator must allow the signer to sign accounts. */
  operatorJwt?: string | undefined;
}

const keyLists = { add: listOf(anything), remove: listOf(text) };
const ACCOUNT_REVISION = bag({
  ...ACCOUNT_ENTRIES,
  ...REVISION_ENTRIES,
  description: v.nullable(text),
  revoke: v.lazy((input): v.GenericSchema => (Array.isArray(input) ? listOf(text) : object)),
  unrevoke: listOf(text),
  signingKeys: v.lazy((input): v.GenericSchema => (Array.isArray(input) ? listOf(anything) : bag(keyLists))),
  mappings: object,
  operatorJwt: text,
} satisfies Entries<AccountRevision>);

/**
 * Re-signs an account JWT with changed claims: revocations, signing keys, limits, JetStream and so on. Every other
 * claim keeps its text, including unknown ones; `iat`, `iss` and `jti` are new. The new JWT is dated at least one
 * second after the old one, so that servers know which is newer.
 *
 * It takes effect once it is pushed to the servers: see `pushAccountJwt`, and `revokeUsers`, which does both.
 *
 * It does not check that the account belongs to the signer's operator, unless `operatorJwt` is given. In the account of
 * a home (`zester init`), masters restore signing keys and revocations that disappear: remove those with the command.
 *
 * @param jwt the account JWT
 * @param signer the operator's key, or one of its signing keys; for a self-signed account JWT, also the account's own
 *   key
 * @param revision the changes
 * @returns the new account JWT
 * @throws KeyError `ERR_KEY_ROLE` when the key may not sign it; JwtChainError `ERR_CHAIN_ACCOUNT_ISSUER` or
 *   `ERR_CHAIN_ACCOUNT_ISSUER_STRICT` when the operator of `operatorJwt` does not allow it; JwtError `ERR_JWT_OPTIONS`,
 *   and as `decodeAccountJwt`
 * @example
 * import { decodeAccountJwt, generateFullHierarchy, generateKeyBundle, reviseAccountJwt } from 'zester';
 *
 * const { accountJwt, operator, user } = generateFullHierarchy('example.com', 'fleet', 'alice');
 * const revised = reviseAccountJwt(accountJwt, operator, {
 *   revoke: [user.publicKey],
 *   signingKeys: { add: [generateKeyBundle('account').publicKey] },
 * });
 * console.log(Object.keys(decodeAccountJwt(revised).nats.revocations ?? {}).length); // 1
 */
export function reviseAccountJwt(jwt: string, signer: KeyBundle, revision: AccountRevision): string {
  checkOptions('reviseAccountJwt', revision, ACCOUNT_REVISION, jwtOptionsError);
  refuseSeeds({ ...revision, operatorJwt: undefined });
  const claims = decodeAccountJwt(jwt);
  checkSigner(claims, signer, revision.operatorJwt);
  return resign(jwt, claims, signer, (before) => revisedAccount(before, revision), revision.now);
}

function checkSigner(claims: AccountClaims, signer: KeyBundle, operatorJwt: string | undefined): void {
  if (operatorJwt !== undefined) {
    checkAccountIssuer(decodeOperatorJwt(operatorJwt), { sub: claims.sub, iss: signer.publicKey });
    return;
  }
  const isOwn = claims.iss === claims.sub && signer.publicKey === claims.sub;
  if (signer.role !== 'operator' && !isOwn) throw wrongSigner('account JWT', signer, 'operator');
}

/**
 * @internal The claims of an account after a revision. Unchanged members are the same objects.
 *
 * @throws KeyError, JwtError `ERR_JWT_OPTIONS`
 */
export function revisedAccount(claims: AccountClaims, revision: AccountRevision): AccountClaims {
  const { description, signingKeys, limits, jetStream, defaultPermissions, imports, exports, mappings } =
    revision;
  const next = withRevision(withRevisedRevocations(claims, revision), revision);
  const nats = {
    ...next.nats,
    ...(description !== undefined && { description: description ?? undefined }),
    ...(signingKeys !== undefined && {
      signing_keys: revisedKeys(claims.nats.signing_keys ?? [], signingKeys),
    }),
    ...((limits !== undefined || jetStream !== undefined) && {
      limits: revisedLimits(claims.nats.limits ?? NO_ACCOUNT_LIMITS, limits, jetStream),
    }),
    ...(defaultPermissions !== undefined && {
      default_permissions: permissionClaims(defaultPermissions ?? undefined),
    }),
    ...(imports !== undefined && { imports: [...imports] }),
    ...(exports !== undefined && { exports: [...exports] }),
    ...(mappings !== undefined && { mappings }),
  };
  return { ...next, nats: nats as unknown as AccountClaims['nats'] };
}

function revisedLimits(
  before: Readonly<Record<string, unknown>>,
  limits: AccountRevision['limits'] = {},
  jetStream: AccountRevision['jetStream'],
): Record<string, unknown> {
  const next = withAccountLimits(before, limits);
  return { ...(jetStream === undefined ? next : withJetStream(next, jetStream)) };
}

function withRevisedRevocations(
  claims: AccountClaims,
  { revoke, unrevoke, now }: Pick<AccountRevision, 'revoke' | 'unrevoke' | 'now'>,
): AccountClaims {
  let next = claims;
  if (unrevoke !== undefined) {
    const gone = new Set(unrevoke);
    gone.forEach(checkRevocableKey);
    next = withoutRevocations(next, (key) => gone.has(key));
  }
  return revoke === undefined ? next : mergeRevocations(next, revocationTimes(revoke, now));
}

/**
 * @internal The time up to which each user is to be revoked.
 *
 * @throws JwtError `ERR_JWT_OPTIONS`
 */
export function revocationTimes(
  revoke: readonly string[] | Readonly<Record<string, number>>,
  now: Clock | undefined,
): Record<string, number> {
  const times = Array.isArray(revoke)
    ? Object.fromEntries(
        (revoke as readonly string[]).map((key) => [key, key === EVERYONE ? nowSeconds(now) : PERMANENT]),
      )
    : (revoke as Readonly<Record<string, number>>);
  return checkedRevocations(times);
}

type SigningKey = string | ScopedSigningKeyClaim;

function revisedKeys(
  before: readonly SigningKey[],
  revision: NonNullable<AccountRevision['signingKeys']>,
): readonly SigningKey[] {
  if (isReplacement(revision))
    return deduplicated(
      before,
      revision.map((key) => withKnownScope(before, key)),
    );
  const gone = new Set(revision.remove ?? []);
  gone.forEach((key) => validatePublicKey(key, 'account'));
  const added = (revision.add ?? []).map((key) => withKnownScope(before, key));
  return deduplicated(before, [...before.filter((key) => !gone.has(signingKeyId(key))), ...added]);
}

/** A key given without its scope keeps it: otherwise its users would be allowed everything. */
function withKnownScope(before: readonly SigningKey[], given: SigningKeyOption): SigningKey {
  if (typeof given === 'string')
    return before.find((key) => signingKeyId(key) === given) ?? signingKeyClaim(given);
  if (typeof given === 'object' && 'kind' in given) {
    // a key from decoded claims is the same object, or has the same text
    const same = before.find((key) => JSON.stringify(key) === JSON.stringify(given));
    return same ?? checkedScope(given);
  }
  return signingKeyClaim(given);
}

function checkedScope(key: ScopedSigningKeyClaim): ScopedSigningKeyClaim {
  validatePublicKey(key.key, 'account');
  if ((key.kind as string) === 'user_scope' && typeof (key as { template?: unknown }).template === 'object')
    return key;
  throw jwtOptionsError(
    `the signing key ${key.key} has no template: without one a server lets its users publish anywhere`,
  );
}

/** Keeps the last entry of each public key, at the position of the first. Returns the same list if nothing changes. */
function deduplicated(before: readonly SigningKey[], keys: readonly SigningKey[]): readonly SigningKey[] {
  const next = [...new Map(keys.map((key) => [signingKeyId(key), key])).values()];
  return next.length === before.length && next.every((key, at) => key === before[at]) ? before : next;
}

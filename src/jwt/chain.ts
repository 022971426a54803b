// validateJwtChain: verifies operator, account and user together.
import { expirySeconds } from './expiry.js';
import { JwtChainError, JwtError, type JwtChainErrorCode, type JwtChainLink } from '../errors.js';
import { anything, bag, callback, checkOptions, type Entries } from '../options/check-options.js';
import type { AccountClaims, OperatorClaims, ScopedSigningKeyClaim, UserClaims } from './claims.js';
import { checkUserValues } from './check-user.js';
import { decodeAccountJwt, decodeOperatorJwt, decodeUserJwt } from './decode.js';
import { jwtOptionsError } from './options-error.js';
import { hasNoPermissions } from './scoped.js';
import { isNotYetValid, startTime } from './not-before.js';
import { isoTime, nowSeconds, type Clock } from './time.js';

/** The named arguments of {@link validateJwtChain}. */
export interface JwtChain {
  operatorJwt: string;
  accountJwt: string;
  userJwt: string;
  /** The clock; `Date.now` by default. */
  now?: Clock | undefined;
}

const VALIDATE = bag({ now: callback });
const CHAIN = bag(
  {
    operatorJwt: anything,
    accountJwt: anything,
    userJwt: anything,
    now: callback,
  } satisfies Entries<JwtChain>,
  { required: ['operatorJwt', 'accountJwt', 'userJwt'] },
);

/**
 * Checks that an operator vouches for an account, and the account for a user: signatures, types, issuers (including
 * signing keys and their strict use), expiry, not-before and revocation, as a nats-server does at connect.
 *
 * It does not check whether the operator is trusted: pass an operator JWT from a trusted source.
 *
 * @param options.now the clock; `Date.now` by default
 * @throws JwtChainError: `link` says which JWT breaks the chain, `code` why. A token that does not decode, or has
 *   values that servers refuse, is `ERR_CHAIN_…_INVALID`, with the JwtError as its `cause`; so is, without a cause, a
 *   user that may have no subscriptions, because servers cut its connections. JwtError `ERR_JWT_OPTIONS` for unknown
 *   options
 * @example
 * import { JwtChainError, loadCredsFile, loadJwtFile, validateJwtChain } from 'zester';
 *
 * const operatorJwt = await loadJwtFile('operator.jwt');
 * const accountJwt = await loadJwtFile('account.jwt');
 * const { jwt } = await loadCredsFile('web-01.creds');
 * try {
 *   validateJwtChain(operatorJwt, accountJwt, jwt);
 *   console.log('trusted'); // trusted
 * } catch (error) {
 *   if (!(error instanceof JwtChainError)) throw error;
 *   console.error(error.link, error.code, error.message);
 * }
 */
export function validateJwtChain(
  operatorJwt: string,
  accountJwt: string,
  userJwt: string,
  options?: { now?: Clock | undefined },
): void;
/** The same, with named arguments. */
export function validateJwtChain(chain: JwtChain): void;
export function validateJwtChain(
  first: string | JwtChain,
  second = '',
  third = '',
  given: { now?: Clock | undefined } = {},
): void {
  // otherwise a JWT, or an invalid value that the chain check reports
  const isChain = typeof first === 'object' && first !== null;
  checkOptions('validateJwtChain', isChain ? first : given, isChain ? CHAIN : VALIDATE, jwtOptionsError);
  const { operatorJwt, accountJwt, userJwt, ...options } = isChain
    ? first
    : { operatorJwt: first, accountJwt: second, userJwt: third, ...given };
  const now = nowSeconds(options.now);
  const issuers = issuersOf(operatorJwt, accountJwt, now);
  checkUserOf(
    issuers,
    link('user', () => decodeUserJwt(userJwt)),
    now,
  );
}

/**
 * Like {@link validateJwtChain}, for a decoded user JWT.
 *
 * @param user as returned by `decodeUserJwt`
 * @internal
 */
export function validateChainOfUser(
  operatorJwt: string,
  accountJwt: string,
  user: UserClaims,
  options: { now?: Clock } = {},
): void {
  const now = nowSeconds(options.now);
  checkUserOf(issuersOf(operatorJwt, accountJwt, now), user, now);
}

interface Issuers {
  operator: OperatorClaims;
  account: AccountClaims;
}

function issuersOf(operatorJwt: string, accountJwt: string, now: number): Issuers {
  const operator = link('operator', () => decodeOperator(operatorJwt));
  checkOperator(operator);
  checkTime('operator', operator, now);
  const account = link('account', () => decodeAccount(accountJwt));
  checkAccountIssuer(operator, account);
  checkTime('account', account, now);
  return { operator, account };
}

function checkUserOf({ operator, account }: Issuers, user: UserClaims, now: number): void {
  checkUser(operator, account, user);
  checkTime('user', user, now);
  checkRevocation(account, user);
}

/**
 * Whether an account's revocations cover a token: by its key or by `*` (everyone), if it was issued at or before the
 * time of the revocation.
 *
 * Source: github.com/nats-io/jwt/v2, revocation_list.go (`IsRevoked`).
 *
 * @param revocations as in an account JWT: public key, or `*`, to seconds since 1970
 * @param publicKey the user (`U…`)
 * @param issuedAt `iat` of the user JWT, in seconds since 1970
 *
 * @example
 * import { decodeAccountJwt, decodeUserJwt, isRevoked, loadCredsFile, loadJwtFile } from 'zester';
 *
 * const account = decodeAccountJwt(await loadJwtFile('account.jwt'));
 * const user = decodeUserJwt((await loadCredsFile('web-01.creds')).jwt);
 * console.log(isRevoked(account.nats.revocations ?? {}, user.sub, user.iat)); // false
 */
export function isRevoked(
  revocations: Readonly<Record<string, number>>,
  publicKey: string,
  issuedAt: number,
): boolean {
  return [revocations['*'], revocations[publicKey]].some((time) => time !== undefined && time >= issuedAt);
}

/**
 * Caches recently decoded JWTs: a master checks every connection against the same operator, fleet account and system
 * account, and an account JWT can be large. The claims do not leave this file, so nothing can change them.
 */
function memoized<T>(decode: (jwt: string) => T): (jwt: string) => T {
  const known = new Map<string, T>();
  return (jwt) => {
    let claims = known.get(jwt);
    if (claims === undefined) {
      claims = decode(jwt);
      const [oldest] = known.keys();
      if (known.size >= CACHE_SIZE && oldest !== undefined) known.delete(oldest);
      known.set(jwt, claims);
    }
    return claims;
  };
}

const CACHE_SIZE = 3;
const decodeOperator = memoized(decodeOperatorJwt);
const decodeAccount = memoized(decodeAccountJwt);

function link<T>(name: JwtChainLink, decode: () => T): T {
  try {
    return decode();
  } catch (cause) {
    if (!(cause instanceof JwtError)) throw cause;
    throw broken(name, `ERR_CHAIN_${upper(name)}_INVALID`, cause.message, cause);
  }
}

/** The codes of a link, such as `ERR_CHAIN_USER_REVOKED`. */
type CodeOf<L extends JwtChainLink> = Extract<JwtChainErrorCode, `ERR_CHAIN_${Uppercase<L>}_${string}`>;

function broken<L extends JwtChainLink>(
  name: L,
  code: CodeOf<L>,
  message: string,
  cause?: unknown,
): JwtChainError {
  return new JwtChainError(name, code, `the chain breaks at the ${name}: ${message}`, { cause });
}

function upper<L extends JwtChainLink>(name: L): Uppercase<L> {
  return name.toUpperCase() as Uppercase<L>;
}

function checkOperator(operator: OperatorClaims): void {
  if (operator.iss !== operator.sub && !(operator.nats.signing_keys ?? []).includes(operator.iss)) {
    throw broken(
      'operator',
      'ERR_CHAIN_OPERATOR_ISSUER',
      `${operator.sub} is signed by ${operator.iss}, not by itself`,
    );
  }
}

/** @internal Checks that the operator allows the issuer to sign the account. @throws JwtChainError */
export function checkAccountIssuer(
  operator: OperatorClaims,
  account: Pick<AccountClaims, 'sub' | 'iss'>,
): void {
  if ((operator.nats.signing_keys ?? []).includes(account.iss)) return;
  if (account.iss !== operator.sub) {
    throw broken(
      'account',
      'ERR_CHAIN_ACCOUNT_ISSUER',
      `${account.sub} is signed by ${account.iss}, which is neither the operator ${operator.sub} nor one of its signing keys`,
    );
  }
  if (operator.nats.strict_signing_key_usage === true) {
    throw broken(
      'account',
      'ERR_CHAIN_ACCOUNT_ISSUER_STRICT',
      `${account.sub} is signed by the operator's identity key, and the operator allows only its signing keys`,
    );
  }
}

function checkUser(operator: OperatorClaims, account: AccountClaims, user: UserClaims): void {
  link('user', () => checkUserValues(user));
  const issuerAccount = user.nats.issuer_account ?? '';
  if (issuerAccount !== '' && issuerAccount !== account.sub) {
    throw broken(
      'user',
      'ERR_CHAIN_USER_ISSUER_ACCOUNT',
      `${user.sub} belongs to the account ${issuerAccount}, not to ${account.sub}`,
    );
  }
  let scope: ScopedSigningKeyClaim | undefined;
  if (user.iss !== account.sub) {
    const key = (account.nats.signing_keys ?? []).find(
      (k) => (typeof k === 'string' ? k : k.key) === user.iss,
    );
    // a user signed by a signing key must name its account, by which the server looks it up
    if (key === undefined || issuerAccount === '') {
      throw broken(
        'user',
        'ERR_CHAIN_USER_ISSUER',
        `${user.sub} is signed by ${user.iss}, which is neither the account ${account.sub} nor one of its signing keys`,
      );
    }
    if (typeof key !== 'string') scope = key;
  } else if (operator.nats.strict_signing_key_usage === true) {
    throw broken(
      'user',
      'ERR_CHAIN_USER_ISSUER_STRICT',
      `${user.sub} is signed by the account's identity key, and the operator allows only signing keys`,
    );
  }
  if (scope !== undefined && !hasNoPermissions(user)) {
    throw broken(
      'user',
      'ERR_CHAIN_USER_SCOPED',
      `${user.sub} is signed by a scoped signing key and carries its own permissions or limits, which servers refuse`,
    );
  }
  const limits = scope === undefined ? user.nats : scope.template;
  if ((limits.subs ?? 0) === 0) {
    throw broken(
      'user',
      'ERR_CHAIN_USER_INVALID',
      `${user.sub} may have no subscription (subs is 0), and servers cut its connections`,
    );
  }
  const bearer = limits.bearer_token;
  if (bearer === true && account.nats.limits?.['disallow_bearer'] === true) {
    throw broken(
      'user',
      'ERR_CHAIN_USER_BEARER',
      `${user.sub} is a bearer token, and the account allows none`,
    );
  }
}

function checkTime(
  name: JwtChainLink,
  claims: { exp?: number; nbf?: number; sub: string },
  now: number,
): void {
  const expiry = expirySeconds(claims);
  if (expiry !== undefined && now >= expiry) {
    throw broken(
      name,
      `ERR_CHAIN_${upper(name)}_EXPIRED`,
      `${claims.sub} expired at ${isoTime(expiry)}; issue a new one`,
    );
  }
  if (isNotYetValid(claims, now * 1000)) {
    throw broken(
      name,
      `ERR_CHAIN_${upper(name)}_NOT_YET_VALID`,
      `${claims.sub} is not valid before ${isoTime(startTime(claims) / 1000)}; check the clock`,
    );
  }
}

function checkRevocation(account: AccountClaims, user: UserClaims): void {
  if (isRevoked(account.nats.revocations ?? {}, user.sub, user.iat)) {
    throw broken(
      'user',
      'ERR_CHAIN_USER_REVOKED',
      `${user.sub}, issued at ${isoTime(user.iat)}, is revoked by its account`,
    );
  }
}

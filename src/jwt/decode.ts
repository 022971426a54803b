// Decodes operator, account and user JWTs, and verifies their signature.
import { JwtError, KeyError, type ZesterErrorOptions } from '../errors.js';
import { isPublicKey } from '../nkeys/validate.js';
import { withArticle } from '../nkeys/roles.js';
import { verifySignature } from '../nkeys/verify.js';
import { CLAIM_NAMES } from './claim-names.js';
import type { AccountClaims, Claims, ClaimType, NatsFields, OperatorClaims, UserClaims } from './claims.js';
import { ACCOUNT_JWT } from './forms/account.js';
import type { TypeOfJwt } from './forms/common.js';
import { FormError } from './forms/form.js';
import { OPERATOR_JWT } from './forms/operator.js';
import { USER_JWT } from './forms/user.js';
import { LATEST_SECONDS } from './latest-seconds.js';
import { markNonIntegers, memberAsGoReadsIt, readStrictJson } from './strict-json.js';
import { excerpt } from '../text/excerpt.js';
import { unlessVerified } from './verified.js';

const V1_ALGORITHM = 'ed25519';
const V2_ALGORITHM = 'ed25519-nkey';
const BASE64URL = /^[A-Za-z0-9_-]+$/;

/** Far above any JWT of Zester or nsc; the server limits an account JWT to a payload of 1 MB. */
const MAX_JWT_LENGTH = 4 * 1024 * 1024;

/**
 * Decodes an operator JWT and verifies its signature against its issuer.
 * It does *not* check expiry, nor whether the issuer is trusted: `validateJwtChain` does.
 *
 * @throws JwtError
 * @example
 * import { decodeOperatorJwt, loadJwtFile } from 'zester';
 *
 * const { name, nats } = decodeOperatorJwt(await loadJwtFile('operator.jwt'));
 * console.log(name, nats.signing_keys?.length, nats.system_account); // …
 */
export function decodeOperatorJwt(jwt: string): OperatorClaims {
  return decode(jwt, OPERATOR_JWT) as OperatorClaims;
}

/**
 * Decodes an account JWT and verifies its signature against its issuer.
 * It does *not* check expiry, nor whether the issuer is trusted: `validateJwtChain` does.
 *
 * @throws JwtError
 * @example
 * import { decodeAccountJwt, loadJwtFile } from 'zester';
 *
 * const { sub, nats } = decodeAccountJwt(await loadJwtFile('account.jwt'));
 * console.log(sub, Object.keys(nats.revocations ?? {}).length); // A… 0
 */
export function decodeAccountJwt(jwt: string): AccountClaims {
  return decode(jwt, ACCOUNT_JWT) as AccountClaims;
}

/**
 * Decodes a user JWT and verifies its signature against its issuer.
 * It does *not* check expiry or revocation, nor whether the issuer is trusted: `validateJwtChain` does.
 *
 * @throws JwtError
 * @example
 * import { decodeUserJwt, loadCredsFile } from 'zester';
 *
 * const { jwt } = await loadCredsFile('web-01.creds');
 * const { name, exp } = decodeUserJwt(jwt);
 * console.log(name, exp === undefined ? 'never expires' : new Date(exp * 1000)); // web-01 …
 */
export function decodeUserJwt(jwt: string): UserClaims {
  return decode(jwt, USER_JWT) as UserClaims;
}

/**
 * The name in a user JWT that a server has accepted, parsed like every other claim. The signature is *not* verified, as
 * the server has done that. Use the name to label a connection, never to trust it.
 *
 * The JWT is the only source of the name: `name_tag` in the server's events and in CONNZ is the user's name up to
 * nats-server 2.10 and the account's from 2.11 (docs/nats-facts.md, 17).
 *
 * @returns undefined if the JWT has no name, or cannot be read as a user JWT
 */
export function userNameOf(jwt: string): string | undefined {
  return textOfUser(jwt, 'name');
}

/**
 * The issuer key (`A…`) of a user JWT, parsed like {@link userNameOf}. Nothing is verified.
 *
 * @returns undefined if it cannot be read as a user JWT
 */
export function userIssuerOf(jwt: string): string | undefined {
  return textOfUser(jwt, 'iss');
}

function textOfUser(jwt: string, name: 'name' | 'iss'): string | undefined {
  try {
    const { claims } = parsePayload(split(jwt).payload);
    checkType(claims, 'user');
    const value = (claims as Record<string, unknown>)[name];
    return typeof value === 'string' ? value : undefined;
  } catch (error) {
    if (!(error instanceof JwtError)) throw error;
    return undefined;
  }
}

/**
 * The subject (`U…`) of a user JWT that a server has accepted, parsed as the server parses it, even if {@link
 * decodeUserJwt} refuses the JWT as ambiguous. Nothing is verified: use it to find the key to revoke, never to trust
 * it.
 *
 * @returns undefined if there is none
 */
export function userSubjectAsServersReadIt(jwt: string): string | undefined {
  const sub = memberAsServersReadIt(jwt, 'sub');
  return typeof sub === 'string' && isPublicKey(sub, 'user') ? sub : undefined;
}

/**
 * The issue time of a user JWT that a server has accepted, in seconds since 1970, parsed like {@link
 * userSubjectAsServersReadIt}. Times beyond 53 bits are {@link LATEST_SECONDS}.
 *
 * @returns undefined if there is none
 */
export function userIssuedAtAsServersReadIt(jwt: string): number | undefined {
  const iat = memberAsServersReadIt(jwt, 'iat');
  if (typeof iat !== 'number') return undefined;
  return iat > Number.MAX_SAFE_INTEGER ? LATEST_SECONDS : iat;
}

function memberAsServersReadIt(jwt: string, name: string): unknown {
  const [, payload = ''] = jwt.split('.', 2);
  const json = memberAsGoReadsIt(Buffer.from(payload, 'base64url'), name);
  return json === undefined ? undefined : (JSON.parse(json) as unknown);
}

function decode(jwt: string, of: TypeOfJwt): Claims<NatsFields> {
  const token = split(jwt);
  checkHeader(token.header);
  const { claims, marked } = parsePayload(token.payload);
  checkType(claims, of.type);
  if (marked !== undefined) checkForm(marked, of);
  const checked = checkForm(claims, of);
  checkRoles(checked, of);
  checkSignature(token, checked, of.type);
  return checked;
}

function checkForm(claims: unknown, { type, form }: TypeOfJwt): Claims<NatsFields> {
  try {
    return form(claims) as Claims<NatsFields>;
  } catch (error) {
    if (!(error instanceof FormError)) throw error;
    throw badClaims(`the ${type} JWT has a malformed claim at "${error.path.join('.')}": ${error.message}`);
  }
}

interface Token {
  /** The whole token. */
  jwt: string;
  /** The signed part. */
  signed: string;
  header: string;
  payload: string;
  signature: string;
}

function split(jwt: string): Token {
  if (typeof jwt !== 'string') throw notJwt(`a JWT is a string, this is ${typeof jwt}`);
  if (jwt.length > MAX_JWT_LENGTH) {
    throw notJwt(`not a JWT: it has ${jwt.length} characters, more than any NATS JWT has`);
  }
  const [header, payload, signature, ...more] = jwt.split('.', 4);
  if (header === undefined || payload === undefined || signature === undefined || more.length > 0) {
    throw notJwt('not a JWT: a JWT has three parts with dots between them');
  }
  for (const part of [header, payload, signature]) {
    // base64url encodes three bytes as four characters; a single remaining character encodes nothing
    if (!BASE64URL.test(part) || part.length % 4 === 1) {
      throw notJwt('not a JWT: a part is empty, contains characters that are not base64url, or is truncated');
    }
  }
  return { jwt, signed: jwt.slice(0, header.length + 1 + payload.length), header, payload, signature };
}

function parsePayload(part: string): { claims: unknown; marked: unknown } {
  const { value, text, isPlain } = parseJson(part, 'payload');
  return { claims: value, marked: isPlain ? undefined : markNonIntegers(text) };
}

function parseJson(part: string, what: string): ReturnType<typeof readStrictJson> {
  try {
    return readStrictJson(Buffer.from(part, 'base64url'), CLAIM_NAMES);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw notJwt(`not a JWT that can be trusted: its ${what} ${cause.message}`, { cause });
  }
}

/** The encoded header that all current tools write. Other orders and spacings are also accepted. */
const USUAL_HEADER = Buffer.from('{"typ":"JWT","alg":"ed25519-nkey"}').toString('base64url');

function checkHeader(part: string): void {
  if (part === USUAL_HEADER) return;
  const header = parseJson(part, 'header').value;
  const { typ, alg } = (typeof header === 'object' && header !== null ? header : {}) as Record<
    string,
    unknown
  >;
  if (alg === V1_ALGORITHM) {
    throw new JwtError(
      'ERR_JWT_ALGORITHM',
      'a NATS JWT of version 1 (alg "ed25519"), which is not trusted: issue a new one with a current tool',
    );
  }
  if (alg !== V2_ALGORITHM) {
    throw new JwtError(
      'ERR_JWT_ALGORITHM',
      `not a NATS JWT: its alg is ${excerpt(JSON.stringify(alg) ?? 'missing', 40)}, and only "${V2_ALGORITHM}" is trusted`,
    );
  }
  if (typeof typ !== 'string' || typ.toUpperCase() !== 'JWT') {
    throw new JwtError('ERR_JWT_ALGORITHM', 'not a NATS JWT: its typ is not "JWT"');
  }
}

function checkType(claims: unknown, type: ClaimType): void {
  if (typeof claims !== 'object' || claims === null || Array.isArray(claims)) {
    throw badClaims(`the ${type} JWT's payload is not an object`);
  }
  const nats = (claims as { nats?: unknown }).nats;
  if (typeof nats !== 'object' || nats === null) {
    throw badClaims(`not ${withArticle(type)} JWT of NATS: it has no "nats" claims`);
  }
  const { type: found, version } = nats as Record<string, unknown>;
  if (found !== type) {
    const named = typeof found === 'string' ? `of type "${excerpt(found, 40)}"` : 'without a type';
    throw new JwtError('ERR_JWT_TYPE', `${withArticle(type)} JWT is needed, this one is ${named}`);
  }
  // a server treats a JWT with a top-level type as version 1, whatever "nats" contains
  const { type: typeOfVersion1 = '' } = claims as { type?: unknown };
  if (version !== 2 || (typeOfVersion1 !== '' && typeOfVersion1 !== null)) {
    throw new JwtError('ERR_JWT_VERSION', `the ${type} JWT's claims are not of version 2`);
  }
}

function checkRoles(claims: Claims<NatsFields>, { type, subject, issuers }: TypeOfJwt): void {
  if (!isPublicKey(claims.sub, subject)) {
    throw badClaims(`the ${type} JWT's subject is not ${withArticle(subject)}'s public key`);
  }
  if (!issuers.some((role) => isPublicKey(claims.iss, role))) {
    throw new JwtError(
      'ERR_JWT_ISSUER',
      `the ${type} JWT's issuer is not the public key of ${issuers.map(withArticle).join(' or ')}`,
    );
  }
}

/** Must be the last check: the cache only contains JWTs that passed all others. */
function checkSignature(token: Token, claims: Claims<NatsFields>, type: ClaimType): void {
  const note = unlessVerified(claims.iss, token.jwt);
  if (note === undefined) return;
  let good: boolean;
  try {
    good = verifySignature(claims.iss, token.signed, Buffer.from(token.signature, 'base64url'));
  } catch (cause) {
    if (!(cause instanceof KeyError)) throw cause;
    good = false;
  }
  if (!good) {
    throw new JwtError(
      'ERR_JWT_SIGNATURE',
      `the signature of the ${type} JWT is not that of its issuer ${claims.iss}: it was altered, or is damaged`,
    );
  }
  note();
}

function notJwt(message: string, options?: ZesterErrorOptions): JwtError {
  return new JwtError('ERR_JWT_FORMAT', message, options);
}

function badClaims(message: string): JwtError {
  return new JwtError('ERR_JWT_CLAIMS', message);
}

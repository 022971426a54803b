// Encodes and signs a JWT.
import { holdsSeed, JwtError } from '../errors.js';
import { encodeBase32 } from '../nkeys/base32.js';
import type { KeyBundle } from '../nkeys/key-bundle.js';
import { sha512256 } from './hash.js';
import { withLatestSeconds } from './latest-seconds.js';

/** The header of every NATS JWT v2, already encoded, and the dot after it. */
const HEADER = `${Buffer.from('{"typ":"JWT","alg":"ed25519-nkey"}').toString('base64url')}.`;

/** The input of `encodeJwt`: the claims except `jti` and `iss`, which it computes. */
export interface UnsignedClaims {
  iat: number;
  sub: string;
  name: string;
  exp?: number | undefined;
  nbf?: number | undefined;
  nats: object;
}

/** The text that replaces the claims' opening brace to insert `jti`. */
const JTI_START = '{"jti":"';
const JTI_END = '",';
const JTI_LENGTH = 52;
/** The offset of the claims without `jti`, so that the claims with it begin at 0. */
const BODY_OFFSET = JTI_START.length + JTI_LENGTH + JTI_END.length - 1;

const SIGNATURE_LENGTH = 64;

/**
 * Signs claims into a NATS JWT v2. `jti` is base32(SHA-512/256(the claims without it)); the signature covers
 * `header.payload`.
 *
 * Reuses two buffers: issuing costs little more than the signature, and garbage collection would add a good part of
 * that. The buffers contain no secrets.
 *
 * Source: github.com/nats-io/jwt/v2, claims.go (`encode`, `hash`).
 *
 * @throws JwtError `ERR_JWT_OPTIONS` if the claims contain a seed or a lone surrogate
 */
export function encodeJwt(claims: UnsignedClaims, signer: KeyBundle): string {
  const { iat, sub, name, exp, nbf, nats } = claims;
  const body = JSON.stringify({ exp, iat, iss: signer.publicKey, name, nbf, nats, sub });
  if (holdsSeed(body)) {
    throw new JwtError(
      'ERR_JWT_OPTIONS',
      'a seed was given where a name, a tag or a subject belongs: anyone with the JWT could read it',
    );
  }
  if (body.includes('\\ud') && LONE_SURROGATE.test(body)) {
    throw new JwtError(
      'ERR_JWT_OPTIONS',
      'a name, a tag or a subject contains half a character (a lone surrogate): a server would read a different character',
    );
  }
  return signClaims(body, signer);
}

/** In the output of JSON.stringify, which does not escape surrogate pairs, and doubles a literal backslash. */
const LONE_SURROGATE = /(?<!\\)(?:\\\\)*\\ud[89a-f][0-9a-f]{2}/;

/**
 * Like {@link encodeJwt}, for serialized claims.
 *
 * @param claims a JSON object with the claims, including `iss`, without `jti`
 */
export function signClaims(claims: string, signer: KeyBundle): string {
  const body = withLatestSeconds(claims);
  const json = buffer('json', BODY_OFFSET + body.length * MAX_UTF8_BYTES);
  const end = BODY_OFFSET + json.write(body, BODY_OFFSET, 'utf8');
  const jti = encodeBase32(sha512256(json.subarray(BODY_OFFSET, end)));
  json.write(JTI_START, 0, 'latin1');
  json.set(jti, JTI_START.length);
  json.write(JTI_END, JTI_START.length + JTI_LENGTH, 'latin1');

  const payload = json.toString('base64url', 0, end);
  const token = buffer('token', HEADER.length + payload.length + 2 * SIGNATURE_LENGTH);
  token.write(HEADER, 0, 'latin1');
  const signedEnd = HEADER.length + token.write(payload, HEADER.length, 'latin1');
  const signature = signer.sign(token.subarray(0, signedEnd));
  const bytes = Buffer.isBuffer(signature)
    ? signature
    : Buffer.from(signature.buffer, signature.byteOffset, signature.byteLength);
  const encoded = bytes.toString('base64url');
  const tokenEnd = signedEnd + token.write(`.${encoded}`, signedEnd, 'latin1');
  return token.toString('latin1', 0, tokenEnd);
}

/** Maximum UTF-8 bytes per code unit of a JavaScript string. */
const MAX_UTF8_BYTES = 3;

/** The size of the reused buffers; a larger token gets its own. */
const KEPT_BYTES = 32 * 1024;
const kept = { json: Buffer.alloc(KEPT_BYTES), token: Buffer.alloc(KEPT_BYTES) };

function buffer(name: keyof typeof kept, size: number): Buffer {
  return size <= KEPT_BYTES ? kept[name] : Buffer.alloc(size);
}

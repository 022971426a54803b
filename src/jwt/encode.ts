// Encodes and signs a JWT.
import { holdsSeed, JwtError } from '../errors.js';
import { encodeBase32 } from '../nkeys/base32.js';
import type { KeyBundle } from '../nkeys/key-bundle.js';
import { bytesAs } from '../text/bytes-as.js';
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

/** The text around `jti`, which comes first. A comma follows it, in place of the claims' opening brace. */
const JTI_START = '{"jti":"';
const JTI_END = '"';
const JTI_LENGTH = 52;
/** The offset of the claims without `jti`, so that the claims with it begin at 0. */
const BODY_OFFSET = JTI_START.length + JTI_LENGTH + JTI_END.length;
const COMMA = 0x2c;

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
  const maxEnd = BODY_OFFSET + body.length * MAX_UTF8_BYTES;
  const json = maxEnd <= KEPT_BYTES ? keptJson : withJtiFrame(Buffer.alloc(maxEnd));
  const end = BODY_OFFSET + json.write(body, BODY_OFFSET, 'utf8');
  const jti = encodeBase32(sha512256(json.subarray(BODY_OFFSET, end)));
  json.set(jti, JTI_START.length);
  json[BODY_OFFSET] = COMMA;

  const payload = json.toString('base64url', 0, end);
  const signedEnd = HEADER.length + payload.length;
  const token = signedEnd <= KEPT_BYTES ? keptToken : Buffer.alloc(signedEnd);
  token.write(HEADER, 0, 'latin1');
  token.write(payload, HEADER.length, 'latin1');
  const signature = signer.sign(token.subarray(0, signedEnd));
  return `${HEADER}${payload}.${bytesAs('base64url', signature)}`;
}

/** Maximum UTF-8 bytes per code unit of a JavaScript string. */
const MAX_UTF8_BYTES = 3;

/** The size of the reused buffers; a larger token gets its own. */
const KEPT_BYTES = 32 * 1024;
const keptJson = withJtiFrame(Buffer.alloc(KEPT_BYTES));
const keptToken = Buffer.alloc(KEPT_BYTES);

/** Writes the text around `jti`, the same in all claims. */
function withJtiFrame(json: Buffer): Buffer {
  json.write(JTI_START, 0, 'latin1');
  json.write(JTI_END, JTI_START.length + JTI_LENGTH, 'latin1');
  return json;
}

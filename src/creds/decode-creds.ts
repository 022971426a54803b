// Decodes and checks the bytes of a .creds file.
import { CredsError, JwtError, KeyError, type CredsErrorCode } from '../errors.js';
import type { UserClaims } from '../jwt/claims.js';
import { decodeUserJwt } from '../jwt/decode.js';
import { KeyPair } from '../nkeys/key-pair.js';
import { bytesAs } from '../text/bytes-as.js';
import { CredsFile, type FileAuthenticator } from './creds-file.js';
import { withoutByteOrderMark } from './looks-like.js';
import { findSections } from './parse-sections.js';

/** The largest `.creds` file that is read: 64 KiB. */
export const MAX_CREDS_BYTES = 64 * 1024;

/**
 * Decodes a `.creds` file and checks that its JWT and its seed belong together.
 *
 * @param fileAuthenticator for credentials of a file: makes the authenticator that reads `name` again at each connect.
 *   A parameter, since that authenticator itself calls this function. Undefined: the credentials are these bytes only.
 * @throws CredsError
 * @internal
 */
export function decodeCreds(
  data: Uint8Array | string,
  name: string,
  fileAuthenticator?: FileAuthenticator,
): CredsFile {
  const { jwt, seed } = findSections(withoutByteOrderMark(textOf(data, name)), name);
  const claims = decodeJwt(jwt, name);
  const key = loadSeed(seed, name);
  if (claims.sub !== key.publicKey) {
    key.wipe();
    throw new CredsError(
      'ERR_CREDS_SEED_MISMATCH',
      name,
      `the JWT in ${name} is for ${claims.sub}, but the seed is that of ${key.publicKey}: they belong to different credentials`,
    );
  }
  return new CredsFile(jwt, key, claims, name, fileAuthenticator);
}

function textOf(data: Uint8Array | string, name: string): string {
  if (typeof data !== 'string' && !(data instanceof Uint8Array)) {
    throw new CredsError(
      'ERR_CREDS_INPUT',
      name,
      `${name}: credentials are bytes or a string, this is ${typeof data}`,
    );
  }
  if (data.length > MAX_CREDS_BYTES) {
    throw new CredsError(
      'ERR_CREDS_TOO_LARGE',
      name,
      `${name} is larger than ${MAX_CREDS_BYTES / 1024} KiB: it is not a .creds file`,
    );
  }
  // latin1 accepts every byte; characters that are not ASCII are refused later
  return typeof data === 'string' ? data : bytesAs('latin1', data);
}

const CODE_OF_JWT_ERROR: Partial<Record<string, CredsErrorCode>> = {
  ERR_JWT_TYPE: 'ERR_CREDS_JWT_TYPE',
  ERR_JWT_SIGNATURE: 'ERR_CREDS_JWT_SIGNATURE',
};

function decodeJwt(jwt: string, name: string): UserClaims {
  try {
    return decodeUserJwt(jwt);
  } catch (cause) {
    if (!(cause instanceof JwtError)) throw cause;
    const code = CODE_OF_JWT_ERROR[cause.code] ?? 'ERR_CREDS_JWT_FORMAT';
    throw new CredsError(code, name, `the JWT in ${name} cannot be used: ${cause.message}`, { cause });
  }
}

const CODE_OF_KEY_ERROR: Partial<Record<string, CredsErrorCode>> = {
  ERR_KEY_ROLE: 'ERR_CREDS_SEED_ROLE',
  ERR_KEY_CHECKSUM: 'ERR_CREDS_SEED_CHECKSUM',
};

function loadSeed(seed: string, name: string): KeyPair {
  try {
    return KeyPair.fromSeed('user', seed);
  } catch (cause) {
    if (!(cause instanceof KeyError)) throw cause;
    const code = CODE_OF_KEY_ERROR[cause.code] ?? 'ERR_CREDS_SEED_FORMAT';
    throw new CredsError(code, name, `the seed in ${name} cannot be used: ${cause.message}`, { cause });
  }
}

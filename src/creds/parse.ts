import { CredsError, JwtError, KeyError, type CredsErrorCode } from '../errors.js';
import { readSmallFile } from '../files/read-small-file.js';
import type { UserClaims } from '../jwt/claims.js';
import { decodeUserJwt } from '../jwt/decode.js';
import { loadKeyBundle, type KeyBundle } from '../nkeys/key-bundle.js';
import { CredsFile } from './creds-file.js';
import { withoutByteOrderMark } from './looks-like.js';
import { findSections } from './sections.js';

/** The largest `.creds` file that is read: 64 KiB. */
export const MAX_CREDS_BYTES = 64 * 1024;

/**
 * Reads the bytes of a `.creds` file and checks them: one JWT of a user, one seed of a user, a valid signature, the
 * JWT's subject being the seed's public key. It does *not* check expiry, nor whether the issuer is to be trusted.
 *
 * @param data the file's content
 * @param name what errors call it, and `path` of the result
 * @throws CredsError
 */
export function parseCredsData(data: Uint8Array | string, name: string): CredsFile {
  if (typeof name !== 'string') {
    // not shown: it may be the credentials, given where their name belongs
    throw new CredsError(
      'ERR_CREDS_INPUT',
      '',
      `the name of credentials is a string, this is ${typeof name}`,
    );
  }
  return parseCreds(data, name, 'bytes');
}

/**
 * Loads a `.creds` file and checks it as {@link parseCredsData} does.
 *
 * @throws CredsError; FileError when it cannot be read
 */
export async function loadCredsFile(path: string): Promise<CredsFile> {
  if (typeof path !== 'string' || path === '') {
    throw new CredsError('ERR_CREDS_INPUT', '', 'the path of a .creds file is a string that is not empty');
  }
  const content = await readSmallFile(path, MAX_CREDS_BYTES);
  try {
    return parseCreds(content, path, 'file');
  } finally {
    content.fill(0);
  }
}

/** @internal */
export function parseCreds(data: Uint8Array | string, name: string, source: 'file' | 'bytes'): CredsFile {
  const { jwt, seed } = findSections(withoutByteOrderMark(textOf(data, name)), name);
  const claims = decodeJwt(jwt, name);
  const key = loadSeed(seed, name);
  if (claims.sub !== key.publicKey) {
    key.wipe();
    throw new CredsError(
      'ERR_CREDS_SEED_MISMATCH',
      name,
      `the JWT in ${name} is for ${claims.sub}, but the seed beside it is that of ${key.publicKey}: they are of two credentials`,
    );
  }
  return new CredsFile(jwt, key, claims, name, source);
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
      `${name} is larger than ${MAX_CREDS_BYTES / 1024} KiB: it is no .creds file`,
    );
  }
  // latin1: what is not ASCII is refused further on, and no byte is invalid
  return typeof data === 'string'
    ? data
    : Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('latin1');
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

function loadSeed(seed: string, name: string): KeyBundle {
  try {
    return loadKeyBundle('user', seed);
  } catch (cause) {
    if (!(cause instanceof KeyError)) throw cause;
    const code = CODE_OF_KEY_ERROR[cause.code] ?? 'ERR_CREDS_SEED_FORMAT';
    throw new CredsError(code, name, `the seed in ${name} cannot be used: ${cause.message}`, { cause });
  }
}

// The home's list of issued peel keys.
import * as v from 'valibot';
import { FileError } from '../errors.js';
import { openToAppend, openToRead } from '../files/open-file.js';
import { readTextFile } from '../files/read-small-file.js';
import { systemReason } from '../files/system-reason.js';
import { decodeUserJwt } from '../jwt/decode.js';

/**
 * A peel whose credentials were issued from this home. With the public key, a peel can be revoked by ID even if its
 * file was stolen and it is not connected. One JSON object per line, without secrets. The list does not determine what
 * is valid: the account JWT does.
 */
export interface IssuedPeel {
  peelId: string;
  /** `U…`. */
  publicKey: string;
  /** The key that signed it (`A…`). */
  issuer: string;
  /** Seconds since 1970. */
  issuedAt: number;
  /** Seconds since 1970; absent: never. */
  expiresAt?: number | undefined;
}

const schema = v.looseObject({
  peelId: v.string(),
  publicKey: v.string(),
  issuer: v.string(),
  issuedAt: v.number(),
  expiresAt: v.optional(v.number()),
});

/** Enough for over a million peels, at about 250 bytes per line; JavaScript limits strings to about this size. */
const MAX_ISSUED_BYTES = 400 * 1024 * 1024;

/**
 * Records a peel durably.
 *
 * @param path the file; created if missing
 * @throws FileError
 */
export async function recordIssued(path: string, jwt: string): Promise<void> {
  const { name = '', sub, iss, iat, exp } = decodeUserJwt(jwt);
  await recordAllIssued(path, [{ peelId: name, publicKey: sub, issuer: iss, issuedAt: iat, expiresAt: exp }]);
}

/**
 * Records peels durably in one write.
 *
 * @param path as {@link recordIssued}
 * @throws FileError
 */
export async function recordAllIssued(path: string, peels: readonly IssuedPeel[]): Promise<void> {
  const lines = peels.map((peel) => `${JSON.stringify(peel)}\n`).join('');
  try {
    const file = await openToAppend(path);
    try {
      // start a new line after a torn write; write once, so that lines do not interleave
      await file.appendFile(`${(await endsWithNewline(path)) ? '' : '\n'}${lines}`);
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (cause) {
    if (cause instanceof FileError) throw cause;
    const { code } = cause as NodeJS.ErrnoException;
    throw new FileError(
      'ERR_FILE_WRITE',
      path,
      `cannot record the new peel in ${path}: ${systemReason(code)}; nothing was issued`,
      { cause },
    );
  }
}

async function endsWithNewline(path: string): Promise<boolean> {
  const { file, stats } = await openToRead(path);
  try {
    const { size } = stats;
    if (size === 0) return true;
    const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
    return buffer[0] === 0x0a;
  } finally {
    await file.close();
  }
}

/**
 * Reads the issued keys, in order. Skips lines torn by a crash: their credentials were never written.
 *
 * @throws FileError when it exists but cannot be read
 */
export async function readIssued(path: string): Promise<IssuedPeel[]> {
  const text = (await readTextFile(path, MAX_ISSUED_BYTES)) ?? '';
  return text.split('\n').flatMap((line) => {
    if (line === '') return [];
    try {
      return [v.parse(schema, JSON.parse(line))];
    } catch {
      return [];
    }
  });
}

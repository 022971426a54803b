// The home's list of added admins.
import * as v from 'valibot';
import { TrustError } from '../errors.js';
import { readTextFile } from '../files/read-small-file.js';
import { writeSecretFile } from '../files/write-secret-file.js';
import { ADDED_ROLES, type AddedRole } from '../permissions/admin-roles.js';

/** An added admin. Contains no secret. */
export interface AddedAdmin {
  name: string;
  role: AddedRole;
  /** `U…`. */
  publicKey: string;
  /** Seconds since 1970. */
  issuedAt: number;
  /** Seconds since 1970; absent: never. */
  expiresAt?: number | undefined;
  /** Seconds since 1970; absent: not removed. */
  removedAt?: number | undefined;
}

const schema = v.object({
  admins: v.array(
    v.looseObject({
      name: v.string(),
      role: v.picklist(ADDED_ROLES),
      publicKey: v.string(),
      issuedAt: v.number(),
      expiresAt: v.optional(v.number()),
      removedAt: v.optional(v.number()),
    }),
  ),
});

const MAX_BYTES = 8 * 1024 * 1024;

/**
 * Reads the list, in the order of addition; empty if there is no file.
 *
 * @param path the list in the home
 * @throws TrustError `ERR_TRUST_DAMAGED`; FileError
 */
export async function readAddedAdmins(path: string): Promise<AddedAdmin[]> {
  const text = await readTextFile(path, MAX_BYTES);
  if (text === undefined) return [];
  try {
    return v.parse(schema, JSON.parse(text)).admins;
  } catch (cause) {
    throw new TrustError(
      'ERR_TRUST_DAMAGED',
      path,
      `${path} is not a list of admins: restore it from a backup`,
      {
        cause,
      },
    );
  }
}

/**
 * Writes the list, durably. The caller holds the home's lock.
 *
 * @throws FileError
 */
export async function writeAddedAdmins(path: string, admins: readonly AddedAdmin[]): Promise<void> {
  await writeSecretFile(path, Buffer.from(`${JSON.stringify({ admins }, null, 2)}\n`));
}

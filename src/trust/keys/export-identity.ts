// Moves the identity seeds out of a home.
import { mkdir, unlink } from 'node:fs/promises';
import { join, relative, resolve, isAbsolute } from 'node:path';
import { FileError, TrustError } from '../../errors.js';
import type { KeyBundle } from '../../nkeys/key-bundle.js';
import { holdsSeedOf } from './key-list.js';
import { withHomeLock, type HomeLockOptions } from '../lock.js';
import { openTrustDomain } from '../open.js';
import { checkPrivateDirectory, pathExists } from '../private-files.js';

/** A seed exported from a home. */
export interface ExportedSeed {
  role: 'operator' | 'account';
  publicKey: string;
  from: string;
  to: string;
}

/**
 * Exports the identity seeds of the operator and of the account from a home, to keep them offline. They are not needed
 * at run time, but only for `init`, for changes of the operator's signing keys, and for new credentials of masters.
 *
 * Each seed is written to the directory, read back, and only then deleted from the home.
 *
 * @param directory created if missing; not inside the home
 * @throws TrustError `ERR_TRUST_EXPORT`, after which seeds that were not exported are still in the home; FileError
 */
export async function exportIdentity(
  home: string,
  directory: string,
  options: HomeLockOptions = {},
): Promise<ExportedSeed[]> {
  const target = resolve(directory);
  return withHomeLock(
    home,
    'zester keys export-identity',
    async () => {
      const domain = await openTrustDomain(home);
      const { paths, publicKeys } = domain;
      const refuse = (why: string) => {
        throw new TrustError(
          'ERR_TRUST_EXPORT',
          target,
          `cannot export the identity seeds to ${target}: ${why}`,
        );
      };
      const inside = relative(paths.home, target);
      if (inside === '' || (!inside.startsWith('..') && !isAbsolute(inside))) {
        refuse('it is inside the home; choose a directory on offline media');
      }
      const all = [
        {
          role: 'operator',
          from: paths.operatorSeed,
          publicKey: publicKeys.operator,
          load: () => domain.operatorKey(),
        },
        {
          role: 'account',
          from: paths.accountSeed,
          publicKey: publicKeys.account,
          load: () => domain.accountKey(),
        },
      ] as const;
      const here = [];
      for (const one of all) if (pathExists(one.from)) here.push(one);
      if (here.length === 0) refuse('they are not in the home; they have already been exported');
      await makePrivate(target);
      const exported: ExportedSeed[] = [];
      for (const { role, from, publicKey, load } of here) {
        const to = join(target, `${role}.seed`);
        const key = await load();
        try {
          await copy(key, to, refuse);
        } finally {
          key.wipe();
        }
        await unlink(from);
        exported.push({ role, publicKey, from, to });
      }
      return exported;
    },
    options,
  );
}

async function copy(key: KeyBundle, to: string, refuse: (why: string) => void): Promise<void> {
  if (pathExists(to)) {
    // a previous export was interrupted between the copy and the deletion
    if (await holdsSeedOf(to, key.role, key.publicKey)) return;
    refuse(`${to} already exists and belongs to another key`);
  }
  await key.saveSeedToFile(to);
  if (!(await holdsSeedOf(to, key.role, key.publicKey)))
    refuse(`${to} differs from the written seed when read back`);
}

async function makePrivate(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new FileError('ERR_FILE_WRITE', directory, `cannot create the directory ${directory}: ${code}`, {
      cause,
    });
  }
  checkPrivateDirectory(directory);
}

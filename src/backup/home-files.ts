// Reads the files of a home for a backup, checks the files of a backup, and writes them to an empty home.
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { BackupError, ZesterError } from '../errors.js';
import { isAgeFile } from '../files/is-age-file.js';
import { readSmallFile } from '../files/read-small-file.js';
import { writeSecretFile } from '../files/write-secret-file.js';
import { publicKeyFromSeed } from '../nkeys/key-bundle.js';
import { checkJwts, openTrustDomain } from '../trust/open.js';
import { trustPaths } from '../trust/paths.js';
import { ensurePrivateDirectory, pathExists } from '../trust/private-files.js';
import { parseSettings } from '../trust/settings.js';
import {
  damagedBackup,
  isHomePath,
  isLeftOut,
  MAX_ENTRY_BYTES,
  RESTORE_STAGE,
  type BackupHeader,
} from './entries.js';

/** A file of a home: its path relative to the home, and its content. */
export interface HomeFile {
  path: string;
  content: Uint8Array;
}

/**
 * Yields the files of a home, except its lock and the files of a nats-server.
 *
 * Age files are left out: earlier backups are, and with them each backup would be twice as large as the last one.
 * Zester keeps nothing in a home that it could not read itself.
 *
 * @param onSkipped called with files that are not in the backup: links, age files, and names that Zester does not use
 * @throws FileError
 */
export async function* homeFiles(
  home: string,
  onSkipped: (path: string) => void,
): AsyncGenerator<HomeFile, void, undefined> {
  const entries = await readdir(home, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => ({
      path: join(entry.parentPath, entry.name).slice(home.length + 1),
      isFile: entry.isFile(),
    }))
    .filter(({ path }) => !isLeftOut(path))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
  for (const { path, isFile } of paths) {
    if (!isFile || !isHomePath(path) || (await isAgeFile(join(home, path)))) {
      onSkipped(path);
      continue;
    }
    const content = await readSmallFile(join(home, path), MAX_ENTRY_BYTES);
    if (content.length > MAX_ENTRY_BYTES)
      throw new BackupError(
        'ERR_BACKUP_HOME',
        join(home, path),
        `${path} is too large for a backup: move it away`,
      );
    yield { path, content };
    content.fill(0);
  }
}

/** Whether {@link checkHome} needs a file: one of the small essential ones. */
export function isEssential(path: string): boolean {
  return path === 'zester.json' || /^(jwt|keys)\/[^/]+$/.test(path);
}

/**
 * Checks that the files of a backup are a complete home: settings, JWTs, and the seeds of its signing keys.
 *
 * @param files the essential ones, by their paths
 * @throws BackupError `ERR_BACKUP_DAMAGED`
 */
export function checkHome(file: string, header: BackupHeader, files: ReadonlyMap<string, Uint8Array>): void {
  const text = (path: string): string => {
    const content = files.get(path);
    if (content === undefined) throw damagedBackup(file, `its home lacks ${path}`);
    return Buffer.from(content).toString('utf8').trim();
  };
  try {
    const settings = parseSettings('zester.json', Buffer.from(text('zester.json')));
    checkJwts(trustPaths('/'), settings, {
      operatorJwt: text('jwt/operator.jwt'),
      systemAccountJwt: text('jwt/system.jwt'),
      accountJwt: text('jwt/account.jwt'),
    });
    const { operator, account } = settings;
    if (operator.publicKey !== header.operator.publicKey || account.publicKey !== header.account.publicKey)
      throw damagedBackup(file, 'its home belongs to a different trust domain from the one in its header');
    const seeds = new Set(
      [...files]
        .filter(([path]) => path.endsWith('.seed'))
        .map(([, content]) => publicKeyFromSeed(seedIn(content))),
    );
    for (const key of [operator.signingKey, account.peelSigningKey])
      if (!seeds.has(key)) throw damagedBackup(file, `its home lacks the seed of ${key}`);
  } catch (cause) {
    if (cause instanceof BackupError || !(cause instanceof ZesterError)) throw cause;
    throw damagedBackup(file, `its home cannot be used (${cause.message})`, cause);
  }
}

function seedIn(content: Uint8Array): string {
  return /S[A-Z2-7]{40,80}/.exec(Buffer.from(content).toString('latin1'))?.[0] ?? '';
}

/**
 * Whether a home can be restored into this directory: it is missing, empty, or left over from an interrupted restore.
 *
 * @throws FileError
 */
export async function isVacant(home: string): Promise<boolean> {
  if (!pathExists(home)) return true;
  const names = await readdir(home);
  // it is moved into place last: with it, the home is complete, even if the stage could not be removed
  if (names.includes('zester.json')) return false;
  return names.includes(RESTORE_STAGE) || names.every((name) => name === 'lock' || name === 'nats-server');
}

/**
 * Writes a home. All files are complete and checked before the first one is moved into place, and `zester.json` comes
 * last: an interrupted restore leaves a directory that {@link isVacant} recognizes, not a home.
 *
 * @param files of a checked backup
 * @throws FileError, TrustError
 */
export async function writeHome(home: string, files: AsyncIterable<HomeFile>): Promise<void> {
  await ensurePrivateDirectory(home);
  const stage = join(home, RESTORE_STAGE);
  await rm(stage, { recursive: true, force: true });
  await mkdir(stage, { mode: 0o700 });
  for await (const { path, content } of files) {
    await mkdir(join(stage, dirname(path)), { recursive: true, mode: 0o700 });
    await writeSecretFile(join(stage, path), content);
  }
  await openTrustDomain(stage);
  const names = (await readdir(stage)).sort(
    (a, b) => Number(a === 'zester.json') - Number(b === 'zester.json'),
  );
  for (const name of names) {
    await rm(join(home, name), { recursive: true, force: true });
    await rename(join(stage, name), join(home, name));
  }
  await rm(stage, { recursive: true });
}

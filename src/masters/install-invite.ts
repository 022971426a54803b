// Installs an invitation: creates the home of a second master.
import { TrustError } from '../errors.js';
import { isVacant, writeHome, type HomeFile } from '../backup/home-files.js';
import { withHomeLock } from '../trust/lock.js';
import { ensurePrivateDirectory } from '../trust/private-files.js';
import { decryptInvite } from './decrypt.js';
import { INVITE_CA, INVITE_FILES, INVITE_RENEWAL_FILES, readInvite, unusable } from './invite.js';

/** The options of {@link installInvite}. */
export interface InstallInviteOptions {
  /** `AGE-SECRET-KEY-…` */
  identities: readonly string[];
  /** The required operator (`O…`); any by default. */
  operator?: string | undefined;
  now?: () => number;
}

/** The created home. */
export interface InstalledMaster {
  name: string;
  home: string;
  operator: { name: string; publicKey: string };
  account: { name: string; publicKey: string };
  servers: string[];
}

/**
 * Creates the home of an invited master. Checks the whole invitation before writing anything, and refuses a directory
 * that is not empty.
 *
 * @throws TrustError `ERR_TRUST_INVITE`, `ERR_TRUST_INVITE_EXPIRED`, `ERR_TRUST_HOME_IN_USE`; BackupError
 *   `ERR_BACKUP_IDENTITY`; FileError
 */
export async function installInvite(
  path: string,
  home: string,
  { identities, operator, now = Date.now }: InstallInviteOptions,
): Promise<InstalledMaster> {
  const content = await decryptInvite(path, identities);
  try {
    const { invite, settings } = readInvite(path, content, now());
    if (operator !== undefined && settings.operator.publicKey !== operator)
      throw unusable(path, `it is of the operator ${settings.operator.publicKey}, not of ${operator}`);
    const refuse = () => {
      throw new TrustError(
        'ERR_TRUST_HOME_IN_USE',
        home,
        `${home} is not empty: pass another --home; nothing was written`,
      );
    };
    if (!(await isVacant(home))) refuse();
    await ensurePrivateDirectory(home);
    await withHomeLock(home, 'zester master install', async () => {
      if (!(await isVacant(home))) refuse();
      await writeHome(home, filesOf(invite.files));
    });
    const { account, servers = [] } = settings;
    return {
      name: invite.name,
      home,
      operator: { name: settings.operator.name, publicKey: settings.operator.publicKey },
      account: { name: account.name, publicKey: account.publicKey },
      servers: [servers].flat(),
    };
  } finally {
    content.fill(0);
  }
}

async function* filesOf(files: Readonly<Record<string, string | undefined>>): AsyncGenerator<HomeFile> {
  for (const path of [...INVITE_FILES, ...INVITE_RENEWAL_FILES, INVITE_CA]) {
    const text = files[path];
    if (text === undefined) continue;
    const content = Buffer.from(text);
    yield { path, content };
    content.fill(0);
  }
}

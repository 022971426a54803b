// Claims a directory or a file for one process.
import { randomBytes } from 'node:crypto';
import { readdir, unlink, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { FileError } from '../errors.js';
import { hostTag } from './host-tag.js';
import { readTextFile } from './read-small-file.js';
import { isSameProcess, processIdentity, type ProcessIdentity } from './process-identity.js';
import { cannotWrite } from './write-secret-file.js';
import { CLAIM_RETRY_MAX_MS } from '../timing.js';

/** A temporary claim of this run on a directory, or on a file in it. */
export interface Claim {
  /** Releases the claim. */
  release(): Promise<void>;
}

interface Claimant extends ProcessIdentity {
  host: string;
  since: string;
}

/** Attempts of two claimants that started at the same instant and saw each other. */
const MAX_ATTEMPTS = 4;

/**
 * Claims a directory, or one file in it, for this run, so that no other run of Zester writes there at the same time.
 *
 * A claimant creates its own file there, and then looks for others: of two claimants, at least the later one sees the
 * other, and backs off. Both may back off, but both never continue. A file belongs to one process and has a unique
 * name, so once that process has died, any other may safely remove it.
 *
 * @param name the file to claim in it; if absent, the directory
 * @throws FileError `ERR_FILE_IN_USE` when another run holds it, `ERR_FILE_WRITE` when the directory is not writable
 */
export async function claim(directory: string, name = ''): Promise<Claim> {
  const prefix = `.${name}${name === '' ? '' : '.'}zester-run-`;
  const mine = `${prefix}${hostTag}-${process.pid}-${randomBytes(6).toString('hex')}`;
  const path = join(directory, mine);
  const claimant: Claimant = {
    ...processIdentity(),
    host: hostname(),
    since: new Date().toISOString(),
  };
  const release = () => unlink(path).catch(() => undefined);
  for (let attempt = 1; ; attempt++) {
    try {
      await writeFile(path, JSON.stringify(claimant), { flag: 'wx', mode: 0o600 });
    } catch (cause) {
      throw await cannotWrite(path, directory, cause);
    }
    const other = await liveClaim(directory, prefix, mine);
    if (other === undefined) return { release };
    await release();
    if (attempt === MAX_ATTEMPTS) throw inUse(join(directory, name), join(directory, other), other);
    await delay(Math.random() * CLAIM_RETRY_MAX_MS);
  }
}

const REST = /^([0-9a-f]{6})-(\d+)-[0-9a-f]{12}$/;

/** The claim of another live run; removes those of dead runs. */
async function liveClaim(directory: string, prefix: string, mine: string): Promise<string | undefined> {
  for (const entry of await readdir(directory)) {
    const parsed = entry.startsWith(prefix) ? REST.exec(entry.slice(prefix.length)) : null;
    if (parsed === null || entry === mine) continue;
    const path = join(directory, entry);
    const [, host, pid = ''] = parsed;
    // a process on another host cannot be checked: it counts as alive, and the error says what to delete
    if (host !== hostTag || isSameProcess(await identityIn(path, Number(pid)))) return entry;
    await unlink(path).catch(() => undefined);
  }
  return undefined;
}

const MAX_CLAIM_BYTES = 4 * 1024;

/** The content of the file; if it is half-written, its name is enough. */
async function identityIn(path: string, pid: number): Promise<ProcessIdentity> {
  try {
    const { started } = JSON.parse((await readTextFile(path, MAX_CLAIM_BYTES)) ?? '') as Partial<Claimant>;
    return typeof started === 'string' ? { pid, started } : { pid };
  } catch {
    return { pid };
  }
}

function inUse(what: string, path: string, entry: string): FileError {
  const [, host, pid] = REST.exec(entry.slice(entry.lastIndexOf('zester-run-') + 'zester-run-'.length)) ?? [];
  return new FileError(
    'ERR_FILE_IN_USE',
    what,
    `another run is writing ${what} (${host === hostTag ? `process ${pid}` : 'on another host'}): wait until it is done; ` +
      `if no such run exists, delete ${path}`,
  );
}

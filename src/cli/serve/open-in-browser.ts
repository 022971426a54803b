// Opens a one-time link in the browser, without showing it to other users of the machine.
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { OPEN_FILE_KEPT_MS } from '../../timing.js';

const OPENERS: Readonly<Partial<Record<NodeJS.Platform, string>>> = { darwin: 'open', linux: 'xdg-open' };

/**
 * Opens a link. All users of a machine can read a program's arguments, so the browser gets a file that only its owner
 * can read and that redirects to the link. It is removed a little later.
 *
 * @returns whether a browser was started
 */
export async function openInBrowser(link: string): Promise<boolean> {
  const opener = OPENERS[process.platform];
  if (opener === undefined) return false;
  const folder = await mkdtemp(join(tmpdir(), 'zester-open-'));
  const file = join(folder, 'open.html');
  await writeFile(file, `<!doctype html><meta http-equiv="refresh" content="0;url=${link}">\n`, {
    mode: 0o600,
  });
  setTimeout(() => void rm(folder, { recursive: true, force: true }), OPEN_FILE_KEPT_MS).unref();
  return new Promise((resolve) => {
    const child = spawn(opener, [pathToFileURL(file).href], { stdio: 'ignore', detached: true });
    child.once('error', () => resolve(false));
    child.once('spawn', () => {
      child.unref();
      resolve(true);
    });
  });
}

import { execFile, execFileSync } from 'node:child_process';
import { chmod, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { loadCredsFile } from '../../src/creds/parse.js';
import { validateJwtChain } from '../../src/jwt/chain.js';
import { createTrustDomain } from '../../src/trust/create/create.js';
import { openTrustDomain } from '../../src/trust/open.js';
import { atEnd } from '../support/cleanup.js';
import { tempDir } from '../support/temp-dir.js';
import { tsProgram } from '../support/ts-program.js';

const run = promisify(execFile);
const script = fileURLToPath(new URL('./children/init.ts', import.meta.url));

/** Creates a trust domain in a process that is killed after this many steps. */
async function killedAfter(home: string, steps: number): Promise<void> {
  const died = await run(process.execPath, [tsProgram(script), home, String(steps)]).then(
    () => undefined,
    (error: { signal?: string }) => error.signal,
  );
  expect(died, 'it was killed').toBe('SIGKILL');
}

async function temporariesIn(home: string): Promise<string[]> {
  const entries = await readdir(home, { recursive: true });
  return entries.filter((entry) => entry.includes('zester-tmp'));
}

describe('a run that is killed', () => {
  it.each([1, 4, 5, 7, 9, 10, 12, 13, 15, 16])(
    'after step %i is completed by the next, which keeps existing files',
    async (steps) => {
      const home = join(await tempDir(), 'home');
      await killedAfter(home, steps);
      await expect(openTrustDomain(home)).rejects.toMatchObject({ code: 'ERR_TRUST_INCOMPLETE' });
      let made = 0;
      const domain = await createTrustDomain(home, {
        operatorName: 'acme',
        onStep: (step) => (made += step.made ? 1 : 0),
      });
      expect(made).toBe(17 - steps);
      const master = await loadCredsFile(domain.paths.masterCreds);
      expect(() => validateJwtChain(domain.operatorJwt, domain.accountJwt, master.jwt)).not.toThrow();
      expect(domain.names.operator).toBe('acme');
      expect(await temporariesIn(home)).toEqual([]);
    },
  );

  it('again and again, is completed in the end', async () => {
    const home = join(await tempDir(), 'home');
    await killedAfter(home, 2);
    await killedAfter(home, 5);
    await killedAfter(home, 9);
    await expect(createTrustDomain(home, { operatorName: 'acme' })).resolves.toBeDefined();
  });
});

describe('two concurrent runs', () => {
  it('create one domain; the second run finds that of the first', async () => {
    const home = join(await tempDir(), 'home');
    const [one, two] = await Promise.all([createTrustDomain(home), createTrustDomain(home)]);
    expect(two.publicKeys).toEqual(one.publicKeys);
  });
});

describe('a home that cannot be written', () => {
  it('is refused before anything is created, if others can access it', async () => {
    const home = join(await tempDir(), 'home');
    await mkdir(home);
    await chmod(home, 0o750);
    await expect(createTrustDomain(home)).rejects.toMatchObject({ code: 'ERR_TRUST_HOME_EXPOSED' });
    expect(await readdir(home)).toEqual([]);
  });

  it('reports where its path leads through a file', async () => {
    const path = join(await tempDir(), 'file');
    await writeFile(path, '');
    await expect(createTrustDomain(join(path, 'home'))).rejects.toMatchObject({ code: 'ERR_TRUST_HOME' });
    await rm(path);
    await expect(createTrustDomain(join(path, 'home'))).resolves.toBeDefined();
  });
});

/** A separate file system below a new directory; undefined if the tests may not mount one. */
async function mounted(size: string): Promise<{ at: string; remount(options: string): void } | undefined> {
  const at = await tempDir();
  const mount = (options: string) =>
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', at], { stdio: 'pipe' });
  try {
    mount(`size=${size},mode=700`);
  } catch {
    return undefined;
  }
  atEnd(async () => execFileSync('umount', [at]));
  return { at, remount: (options) => void mount(`remount,${options}`) };
}

describe('on a disk that is', () => {
  it('full, creating a domain reports it, and the next run completes it when there is room', async ({
    skip,
  }) => {
    const disk = await mounted('40k');
    if (disk === undefined) return skip('this machine does not let the tests mount a file system');
    const home = join(disk.at, 'home');
    await expect(createTrustDomain(home)).rejects.toMatchObject({
      code: 'ERR_FILE_WRITE',
      message: expect.stringContaining('the disk is full') as string,
    });
    await expect(openTrustDomain(home)).rejects.toMatchObject({ name: 'TrustError' });
    disk.remount('size=1m');
    const domain = await createTrustDomain(home);
    const master = await loadCredsFile(domain.paths.masterCreds);
    expect(() => validateJwtChain(domain.operatorJwt, domain.accountJwt, master.jwt)).not.toThrow();
  });

  it('read-only, a domain is opened, found as it is, and issues nothing', async ({ skip }) => {
    const disk = await mounted('1m');
    if (disk === undefined) return skip('this machine does not let the tests mount a file system');
    const home = join(disk.at, 'home');
    const domain = await createTrustDomain(home);
    disk.remount('ro');
    await expect(createTrustDomain(home)).resolves.toMatchObject({ publicKeys: domain.publicKeys });
    const path = join(await tempDir(), 'web-01.creds');
    await expect(domain.issuePeel('web-01', path)).rejects.toMatchObject({
      code: 'ERR_FILE_WRITE',
      message: expect.stringContaining('read-only') as string,
    });
    await expect(loadCredsFile(path)).rejects.toMatchObject({ code: 'ERR_FILE_NOT_FOUND' });
    await expect(createTrustDomain(join(disk.at, 'other'))).rejects.toMatchObject({
      code: 'ERR_FILE_WRITE',
      message: expect.stringContaining('read-only') as string,
    });
    disk.remount('rw');
  });
});

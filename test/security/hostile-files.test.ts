// Hostile files: nothing blocks, reads without end, writes through a link, or trusts a key that another user put there.
import { execFile } from 'node:child_process';
import { chmodSync, chownSync, lstatSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openInput } from '../../src/cli/bulk/input.js';
import { loadConfig } from '../../src/cli/config/load.js';
import { loadCampaign } from '../../src/cli/fleet/campaign.js';
import { processIo } from '../../src/cli/terminal/io.js';
import { loadJwtFile } from '../../src/creds/load-jwt-file.js';
import { loadKeyBundleFromFile } from '../../src/creds/load-key-bundle.js';
import { loadCredsFile } from '../../src/creds/parse.js';
import { FileError, ZesterError } from '../../src/errors.js';
import { BoundedLog } from '../../src/files/bounded-log.js';
import { readSmallFile } from '../../src/files/read-small-file.js';
import { writeSecretFile } from '../../src/files/write-secret-file.js';
import { writeSecretFiles } from '../../src/files/write-secret-files.js';
import { generateKeyBundle } from '../../src/nkeys/key-bundle.js';
import { PendingKey } from '../../src/peel/pending-key.js';
import { RecoveryOnDisk } from '../../src/peel/recovery-files.js';
import { Journal } from '../../src/provision/journal.js';
import { fileTarget } from '../../src/files/byte-target.js';
import { recordAllIssued, readIssued } from '../../src/trust/issued.js';
import { withHomeLock } from '../../src/trust/lock.js';
import { readSettings } from '../../src/trust/settings.js';
import { startChild } from '../files/child.js';
import { refusal } from '../support/refusal.js';
import { tempDir } from '../support/temp-dir.js';
import { ZESTER } from '../support/zester-command.js';

/** The number of runs of each reader and writer against the racer. */
const ROUNDS = process.env['ZESTER_SECURITY'] === 'long' ? 200 : 10;
const isRoot = process.getuid?.() === 0;
const secret = Buffer.from('a secret');
const peels = [{ peelId: 'web-01', publicKey: 'U', issuer: 'A', issuedAt: 1 }];
const io = processIo();

let dir: string;
let path: string;
beforeEach(async () => {
  dir = await tempDir();
  path = join(dir, 'file.txt');
});

/** Every reader of a file, by the kind of file. */
const READERS: Record<string, (path: string) => unknown> = {
  'a small file': (at) => readSmallFile(at, 100),
  credentials: (at) => loadCredsFile(at),
  'a JWT': (at) => loadJwtFile(at),
  'a seed': (at) => loadKeyBundleFromFile('account', at),
  settings: (at) => readSettings(at),
  'a configuration': (at) => loadConfig('peel', { config: at }, io),
  'what was issued': (at) => readIssued(at),
  'a campaign': (at) => loadCampaign(at),
  'a list': async (at) => {
    for await (const chunk of (await openInput(at, 'txt')).chunks) expect(chunk.length).toBeGreaterThan(0);
  },
};

/** Everything that writes a file, in its own way. */
const WRITERS: Record<string, (path: string) => unknown> = {
  'a secret file': (at) => writeSecretFile(at, secret),
  'a secret file that is new': (at) => writeSecretFile(at, secret, { ifAbsent: true }),
  'files in bulk': async (at) => {
    const { error } = await writeSecretFiles(
      dir,
      [{ name: at.slice(dir.length + 1), content: secret }],
      true,
    );
    if (error !== undefined) throw error;
  },
  'a stream': async (at) => {
    const target = await fileTarget(at);
    await target.write(secret);
    await target.finish();
  },
  'what was issued': (at) => recordAllIssued(at, peels),
  'a journal': async (at) => (await Journal.open(at, true)).close(),
  'a log': async (at) => {
    const log = await BoundedLog.open(at);
    log.write('a line');
    await log.close();
  },
};

/** Our own errors are acceptable results; anything else is not. */
async function ours<T>(act: () => T): Promise<Awaited<T> | ZesterError> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof ZesterError) return error;
    throw error;
  }
}

describe.each(Object.entries(READERS))('reading %s', (_what, read) => {
  it('refuses a link to an endless device, and fails at a loop and at a dangling link', async () => {
    symlinkSync('/dev/zero', path);
    await refusal('ERR_FILE_NOT_REGULAR', () => read(path));
    for (const target of ['loop', 'nothing']) {
      const at = join(dir, 'loop');
      if (target === 'loop') symlinkSync('loop', at);
      else symlinkSync('nothing', join(dir, 'dangling'));
      await ours(() => read(target === 'loop' ? at : join(dir, 'dangling')));
    }
  });
});

describe('a path that another process flips between a file, links, and nothing', () => {
  it('is read as one of them, and written through none', async () => {
    const target = join(dir, 'target');
    await writeFile(target, 'untouched', { mode: 0o600 });
    const racer = startChild('flip', path, target);
    expect(await racer.nextLine()).toBe('ready');
    const before = process.umask(0);
    const seen = new Set<string>();
    try {
      for (let i = 0; i < ROUNDS; i += 1) {
        for (const write of Object.values(WRITERS)) await ours(() => write(path));
        for (const read of Object.values(READERS)) await ours(() => read(path));
        const content = await ours(() => readSmallFile(path, 1_000));
        seen.add(content instanceof Uint8Array ? 'content' : content.code);
      }
    } finally {
      process.umask(before);
      await racer.finish();
    }
    expect(await readFile(target, 'utf8')).toBe('untouched');
    expect(readdirSync(dir).filter((name) => name.includes('nowhere'))).toEqual([]);
    expect(seen.size).toBeGreaterThan(0);
    // no created file is accessible to others
    const open = readdirSync(dir).filter((name) => {
      const found = lstatSync(join(dir, name));
      return !found.isSymbolicLink() && (found.mode & 0o077) !== 0;
    });
    expect(open).toEqual([]);
  }, 120_000);
});

describe('writing to /dev/full', () => {
  it.each(Object.entries(WRITERS).filter(([what]) => !/bulk|journal/.test(what)))(
    'is refused, and leaves it there: %s',
    async (_what, write) => {
      const error = await ours(() => write('/dev/full'));
      expect(error).toBeInstanceOf(FileError);
      expect(lstatSync('/dev/full').isCharacterDevice()).toBe(true);
    },
  );
});

describe('a file that keeps a key for later', () => {
  const seed = generateKeyBundle('user').seed;
  const peel = generateKeyBundle('user').publicKey;
  const files: [string, (out: string) => [at: string, content: string, open: () => unknown]][] = [
    ['of a join', (out) => [`${out}.pending`, Buffer.from(seed).toString(), () => PendingKey.open(out)]],
    [
      'of a recovery',
      (out) => [
        `${out}.recovering`,
        `${peel}\n${Buffer.from(seed).toString()}\n`,
        () => new RecoveryOnDisk(out).newKeyFor(peel),
      ],
    ],
  ];

  it.each(files)('%s is used when it is our own', async (_what, fileOf) => {
    const [at, content, open] = fileOf(join(dir, 'web.creds'));
    await writeFile(at, content, { mode: 0o600 });
    await open();
    expect(await readFile(at, 'utf8')).toBe(content);
  });

  it.each(files)('%s is refused when others can read it', async (_what, fileOf) => {
    const [at, content, open] = fileOf(join(dir, 'web.creds'));
    await writeFile(at, content, { mode: 0o644 });
    await chmod(at, 0o644);
    const error = await refusal('ERR_FILE_READ', open, seed);
    expect(error.message).toContain('others can read it');
  });

  it.runIf(isRoot).each(files)('%s is refused when another user put it there', async (_what, fileOf) => {
    const shared = join(dir, 'shared');
    mkdirSync(shared);
    chmodSync(shared, 0o1777);
    const [at, content, open] = fileOf(join(shared, 'web.creds'));
    await writeFile(at, content, { mode: 0o600 });
    chownSync(at, 1234, 1234);
    const error = await refusal('ERR_FILE_READ', open, seed);
    expect(error.message).toContain('belongs to another user (uid 1234)');
    // root may act for a service in the service's own directory
    chownSync(shared, 1234, 1234);
    chmodSync(shared, 0o700);
    await open();
  });
});

describe('the lock of a home', () => {
  it('is refused when a dangling link is in its place', async () => {
    await mkdir(join(dir, 'lock'));
    symlinkSync('nothing', join(dir, 'lock', '7'));
    await refusal('ERR_FILE_NOT_REGULAR', () => withHomeLock(dir, 'a test', () => Promise.resolve()));
  });
});

describe('a path that contains a seed', () => {
  it.each(Object.entries(WRITERS).filter(([what]) => !/bulk|journal/.test(what)))(
    'is refused before anything is made: %s',
    async (_what, write) => {
      const seed = Buffer.from(generateKeyBundle('user').seed).toString();
      await refusal('ERR_FILE_WRITE', () => write(join(dir, `${seed}.txt`)), seed);
      expect(readdirSync(dir)).toEqual([]);
    },
  );
});

describe.runIf(isRoot)('a command of an unprivileged user', () => {
  let readable: boolean;
  beforeAll(() => {
    readable = (lstatSync(ZESTER.at(-1) ?? '').mode & 0o004) !== 0;
  });

  it.each(['0', '777'])('creates a private home that it can use, under the umask %s', async (mask) => {
    expect(readable).toBe(true);
    await chmod(dir, 0o755);
    const own = join(dir, 'own');
    mkdirSync(own, { mode: 0o700 });
    chownSync(own, 65_534, 65_534);
    const run = async (...args: string[]) => {
      const script = `umask ${mask}; exec "$@"`;
      const all = ['-c', script, 'sh', process.execPath, ...ZESTER, ...args];
      const options = { uid: 65_534, gid: 65_534, cwd: own, env: { HOME: own, PATH: process.env['PATH'] } };
      return promisify(execFile)('sh', all, options);
    };
    const home = join(own, 'home');
    await run('init', '--home', home);
    await run('creds', 'bootstrap', 'web-01', '--home', home, '--out', join(own, 'web-01.creds'));
    const { stdout } = await run('permissions', 'show', '--home', home);
    expect(stdout).toContain('publish');
    const entries = readdirSync(own, { recursive: true, withFileTypes: true });
    expect(entries.length).toBeGreaterThan(10);
    for (const entry of entries) {
      const { mode } = lstatSync(join(entry.parentPath, entry.name));
      expect([entry.name, mode & 0o777]).toEqual([entry.name, entry.isDirectory() ? 0o700 : 0o600]);
    }
  });
});

import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, lstatSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openInput } from '../../src/cli/bulk/input.js';
import { loadConfig } from '../../src/cli/config/load.js';
import { loadCampaign } from '../../src/cli/fleet/campaign.js';
import { processIo } from '../../src/cli/terminal/io.js';
import { Journal } from '../../src/provision/journal.js';
import { FileCredentialSource } from '../../src/creds/file-credential-source.js';
import { loadJwtFile } from '../../src/creds/load-jwt-file.js';
import { loadKeyBundleFromFile } from '../../src/creds/load-key-bundle.js';
import { loadCredsFile } from '../../src/creds/parse.js';
import { fileTarget } from '../../src/files/byte-target.js';
import { readSmallFile, readTextFile } from '../../src/files/read-small-file.js';
import { writeSecretFile } from '../../src/files/write-secret-file.js';
import { writeSecretFiles } from '../../src/files/write-secret-files.js';
import { recordAllIssued, readIssued } from '../../src/trust/issued.js';
import { readSettings } from '../../src/trust/settings.js';
import { atEnd } from '../support/cleanup.js';
import { refusal } from '../support/refusal.js';
import { tempDir } from '../support/temp-dir.js';

let dir: string;
let fifo: string;
let socket: string;
beforeAll(async () => {
  dir = await tempDir();
  fifo = join(dir, 'fifo.txt');
  socket = join(dir, 'socket.txt');
  execFileSync('mkfifo', [fifo]);
  const server = createServer().listen(socket);
  await new Promise((resolve) => server.once('listening', resolve));
  atEnd(async () => void server.close());
});

const io = processIo();
const readers: [string, (path: string) => unknown][] = [
  ['a small file', (path) => readSmallFile(path, 10)],
  ['a text file', (path) => readTextFile(path, 10)],
  ['credentials', (path) => loadCredsFile(path)],
  ['a JWT', (path) => loadJwtFile(path)],
  ['a seed', (path) => loadKeyBundleFromFile('account', path)],
  ['settings', (path) => readSettings(path)],
  ['a configuration', (path) => loadConfig('peel', { config: path }, io)],
  ['what was issued', (path) => readIssued(path)],
  ['a campaign', (path) => loadCampaign(path)],
  ['a journal', async (path) => (await Journal.open(path, true)).close()],
  ['a list', (path) => openInput(path, 'txt')],
];

describe.each(readers)('reading %s', (_what, read) => {
  it('refuses a named pipe, a socket and an endless device at once', async () => {
    for (const path of [fifo, socket]) await refusal('ERR_FILE_NOT_REGULAR', () => read(path));
  });

  it('refuses a directory', async () => {
    await refusal('ERR_FILE_IS_DIRECTORY', () => read(dir));
  });
});

describe.each(readers.filter(([what]) => what !== 'a journal'))('reading %s', (_what, read) => {
  it('refuses a device without an end', async () => {
    await refusal('ERR_FILE_NOT_REGULAR', () => read('/dev/zero'));
  });
});

it('the authenticator keeps its credential when a pipe or a device replaces its file', () => {
  for (const path of [fifo, socket, '/dev/zero']) {
    const events: string[] = [];
    const source = new FileCredentialSource(path, {
      onEvent: (event: { type: string }) => events.push(event.type),
    });
    source.refresh();
    expect(events).not.toEqual([]);
  }
});

it('reads a pipe from the shell, even if data arrives late', () => {
  const cli = join(import.meta.dirname, '../../src/cli/main.ts');
  const run = `sleep 0.3; printf 'web-01\\n'`;
  const script = `"$0" --import tsx -e '
    import("${join(import.meta.dirname, '../../src/files/read-small-file.ts')}").then(async (m) => {
      process.stdout.write(Buffer.from(await m.readSmallFile(process.argv[1], 100)).toString());
    })' <(${run})`;
  const { stdout, stderr } = spawnSync('bash', ['-c', script, process.execPath], {
    encoding: 'utf8',
    cwd: join(cli, '../../..'),
  });
  expect(stdout, stderr).toBe('web-01\n');
});

const content = Buffer.from('secret');
const writers: [string, (path: string) => unknown][] = [
  ['a secret file', (path) => writeSecretFile(path, content)],
  [
    'files in bulk',
    async (path) => {
      const name = path.slice(path.lastIndexOf('/') + 1);
      const { error } = await writeSecretFiles(join(path, '..'), [{ name, content }], true);
      if (error !== undefined) throw error;
    },
  ],
  [
    'a stream',
    async (path) => {
      const target = await fileTarget(path);
      await target.write(content);
      await target.finish();
    },
  ],
];

describe.each(writers)('writing %s', (_what, write) => {
  let path: string;
  beforeEach(async () => {
    path = join(await tempDir(), 'file');
  });

  it('leaves a pipe, a socket and a device where they are', async () => {
    symlinkSync('/dev/null', path);
    for (const at of [fifo, socket, path]) {
      await refusal('ERR_FILE_NOT_REGULAR', () => write(at));
      expect(lstatSync(at).isFile()).toBe(false);
    }
    for (const at of ['/dev/null', '/dev/stdout', '/dev/fd/1', '/proc/self/fd/1'])
      await refusal('ERR_FILE_NOT_REGULAR', () => write(at));
    expect(lstatSync('/dev/null').isCharacterDevice()).toBe(true);
  });

  it.runIf(process.getuid?.() === 0)('as root keeps the owner of the file it replaces', async () => {
    writeFileSync(path, 'old');
    chownSync(path, 1234, 2345);
    await write(path);
    const { uid, gid, mode } = statSync(path);
    expect({ uid, gid, mode: mode & 0o777 }).toEqual({ uid: 1234, gid: 2345, mode: 0o600 });
    expect(await readFile(path, 'utf8')).toBe('secret');
  });

  it.runIf(process.getuid?.() === 0)(
    'as root gives no secret to someone who left a file in a directory that others can write to',
    async () => {
      chmodSync(join(path, '..'), 0o1777);
      writeFileSync(path, 'bait');
      chownSync(path, 1234, 2345);
      await refusal('ERR_FILE_WRITE', () => write(path));
      expect(await readFile(path, 'utf8')).toBe('bait');
    },
  );

  it('replaces a symbolic link, and does not follow it', async () => {
    const target = join(path, '..', 'target');
    writeFileSync(target, 'untouched');
    symlinkSync(target, path);
    await write(path);
    expect(lstatSync(path).isFile()).toBe(true);
    expect(await readFile(target, 'utf8')).toBe('untouched');
  });

  it('removes temporaries of killed writers in the directory', async () => {
    const directory = join(path, '..', 'sub');
    mkdirSync(directory);
    const old = join(directory, `.other.zester-tmp-ffffff-1-0-${'0'.repeat(12)}`);
    writeFileSync(old, 'a seed');
    execFileSync('touch', ['-d', '2 hours ago', old]);
    await writeSecretFile(join(directory, 'file'), content);
    expect(lstatSync(old, { throwIfNoEntry: false })).toBeUndefined();
    await rm(directory, { recursive: true });
  });
});

describe('a file that grows', () => {
  const peels = [{ peelId: 'web-01', publicKey: 'U', issuer: 'A', issuedAt: 1 }];

  it('is not appended to through a symbolic link', async () => {
    const sub = await tempDir();
    const target = join(sub, 'target');
    writeFileSync(target, '');
    for (const name of ['issued.ndjson', 'journal']) symlinkSync(target, join(sub, name));
    await refusal('ERR_FILE_NOT_REGULAR', () => recordAllIssued(join(sub, 'issued.ndjson'), peels));
    await refusal('ERR_FILE_NOT_REGULAR', () => Journal.open(join(sub, 'journal'), false));
    expect(await readFile(target, 'utf8')).toBe('');
  });

  it('is not a named pipe, which would swallow the data', async () => {
    await refusal('ERR_FILE_NOT_REGULAR', () => recordAllIssued(fifo, peels));
  });

  it('is made with mode 0600, and read again', async () => {
    const path = join(await tempDir(), 'issued.ndjson');
    await recordAllIssued(path, peels);
    await recordAllIssued(path, peels);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(await readIssued(path)).toEqual([...peels, ...peels]);
  });
});

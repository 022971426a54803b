// Invitations and age files that somebody made or changed: they are refused, write nothing, and cost little.
import { Encrypter, generateX25519Identity, identityToRecipient } from 'age-encryption';
import { mkdir, readdir, readFile, readlink, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { readBackup } from '../../src/backup/read-archive.js';
import { createInvite } from '../../src/masters/create-invite.js';
import { decryptInvite } from '../../src/masters/decrypt.js';
import { installInvite } from '../../src/masters/install-invite.js';
import { zester } from '../cli/run-zester.js';
import { startFleet, type Fleet } from '../integration/fleet/fleet.js';
import { tempDir } from '../support/temp-dir.js';

interface Content {
  name: unknown;
  files: Record<string, unknown>;
  [member: string]: unknown;
}

let fleet: Fleet;
let identity: string;
let recipient: string;
let invite: string;
let content: string;
/** The content of an invitation of another operator. */
let foreign: Content;

async function invited(of: Fleet, path: string): Promise<void> {
  const options = { servers: of.servers, name: 'host-b', recipients: [recipient], validMs: 600_000 };
  await createInvite(of.home.home, path, options);
}

async function contentOf(path: string): Promise<string> {
  return Buffer.from(await decryptInvite(path, [identity])).toString('utf8');
}

beforeAll(async () => {
  identity = await generateX25519Identity();
  recipient = await identityToRecipient(identity);
  fleet = await startFleet();
  invite = join(fleet.home.dir, 'b.age');
  await invited(fleet, invite);
  content = await contentOf(invite);
  const other = await startFleet();
  const path = join(other.home.dir, 'other.age');
  await invited(other, path);
  foreign = JSON.parse(await contentOf(path)) as Content;
});

/** Installs a file from an empty directory. @returns the error's code and cause, and what is in the directory then */
async function installed(path: string) {
  const dir = await tempDir();
  const error = await installInvite(path, join(dir, 'deep', 'home'), { identities: [identity] }).then(
    () => undefined,
    (thrown: unknown) => thrown as Error & { code?: string },
  );
  return { code: error?.code, cause: String(error?.cause), files: await readdir(dir, { recursive: true }) };
}

/** Encrypts text to the recipient, as anybody can. */
async function encrypted(text: string): Promise<string> {
  const encrypter = new Encrypter();
  encrypter.addRecipient(recipient);
  const path = join(await tempDir(), 'made.age');
  await writeFile(path, await encrypter.encrypt(text));
  return path;
}

const changed = (change: (content: Content) => void) => {
  const copy = JSON.parse(content) as Content;
  change(copy);
  return encrypted(JSON.stringify(copy));
};

describe('an invitation', () => {
  it('is refused when truncated at any point, and writes nothing', async () => {
    const whole = await readFile(invite);
    const header = whole.indexOf('\n---') + 1;
    const dir = await tempDir();
    for (const length of [0, 1, 21, header, header + 30, header + 60, whole.length >> 1, whole.length - 1]) {
      const path = join(dir, `${length}.age`);
      await writeFile(path, whole.subarray(0, length));
      const { code, files } = await installed(path);
      expect(code, String(length)).toBe('ERR_TRUST_INVITE');
      expect(files).toEqual([]);
    }
  });

  it.each([
    ['a file outside of the home', (it: Content) => void (it.files['../../escaped'] = 'x')],
    ['a file with an absolute path', (it: Content) => void (it.files['/tmp/zester-escaped'] = 'x')],
    ['a file that no home has', (it: Content) => void (it.files['creds/admin.creds'] = 'x')],
    ['a name that is a path', (it: Content) => void (it.name = '../../escaped')],
    ['a name that a terminal acts on', (it: Content) => void (it.name = 'b\u001b[2J')],
    ['another name than its settings', (it: Content) => void (it.name = 'host-c')],
    ['no end', (it: Content) => void delete it['expiresAt']],
    ['a file that is no text', (it: Content) => void (it.files['zester.json'] = { toString: 'x' })],
    [
      'the account JWT of another operator',
      (it: Content) => void (it.files['jwt/account.jwt'] = foreign.files['jwt/account.jwt']),
    ],
    [
      'the signing key of another operator',
      (it: Content) => {
        const file = 'keys/operator-signing.seed';
        it.files[file] = foreign.files[file];
      },
    ],
    [
      'the credentials of another fleet',
      (it: Content) => void (it.files['creds/master.creds'] = foreign.files['creds/master.creds']),
    ],
    [
      'the settings of another fleet',
      (it: Content) => void (it.files['zester.json'] = foreign.files['zester.json']),
    ],
  ])(
    'with %s is refused although it is encrypted to this identity, and writes nothing',
    async (_, change) => {
      const { code, files } = await installed(await changed(change));
      expect([code, files]).toEqual(['ERR_TRUST_INVITE', []]);
    },
  );

  it.each([
    ['with __proto__ in it', () => content.replace('"files":{', '"files":{"__proto__":{"x":"y"},')],
    ['that is nested a million deep', () => '['.repeat(1_000_000)],
    ['that is no JSON', () => content.slice(0, -1)],
  ])('%s is refused', async (_, text) => {
    expect(await installed(await encrypted(text()))).toMatchObject({ code: 'ERR_TRUST_INVITE', files: [] });
  });

  it('with tens of thousands of recipients is refused before any key is tried', async () => {
    const key = Buffer.alloc(32, 9).toString('base64').replace('=', '');
    const path = join(await tempDir(), 'many.age');
    const stanzas = `-> X25519 ${key}\n${key}\n`.repeat(50_000);
    await writeFile(path, `age-encryption.org/v1\n${stanzas}--- ${key}\nx`);
    const { code, cause } = await installed(path);
    expect(code).toBe('ERR_TRUST_INVITE');
    expect(cause).toContain('recipients');
  });

  it('is not written through a symlink, nor installed through one into a directory with files', async () => {
    const dir = await tempDir();
    const target = join(dir, 'target');
    await writeFile(target, 'mine');
    const out = join(dir, 'out.age');
    await symlink(target, out);
    const other = await startFleet();
    await invited(other, out);
    expect(await readFile(target, 'utf8')).toBe('mine');
    expect((await stat(out)).mode & 0o777).toBe(0o600);
    await expect(readlink(out)).rejects.toMatchObject({ code: 'EINVAL' });

    await mkdir(join(dir, 'full'));
    await writeFile(join(dir, 'full', 'file'), 'mine');
    await symlink(join(dir, 'full'), join(dir, 'home'));
    await expect(installInvite(invite, join(dir, 'home'), { identities: [identity] })).rejects.toMatchObject({
      code: 'ERR_TRUST_HOME_IN_USE',
    });
    expect(await readdir(join(dir, 'full'))).toEqual(['file']);
  });
});

describe('a backup', () => {
  it('with an endless header is refused after a few megabytes', async () => {
    const key = Buffer.alloc(32, 9).toString('base64').replace('=', '');
    const path = join(await tempDir(), 'endless.age');
    await writeFile(path, `age-encryption.org/v1\n${`-> other ${key}\n${key}\n`.repeat(700_000)}`);
    const { size } = await stat(path);
    let read = 0;
    const pieces = readBackup(path, [identity], (bytes) => (read = bytes));
    await expect(pieces.next()).rejects.toMatchObject({ code: 'ERR_BACKUP_DAMAGED' });
    expect(size).toBeGreaterThan(64e6);
    expect(read).toBeLessThan(16e6);
  });
});

describe('an age identity', () => {
  it.each([[[]], [['--debug']], [['--json']]])(
    'that is damaged is not shown in the error (%j)',
    async (more) => {
      const damaged = `${identity.slice(0, -1)}${identity.endsWith('Q') ? 'P' : 'Q'}`;
      const path = join(await tempDir(), 'key.txt');
      await writeFile(path, `${damaged}\n`, { mode: 0o600 });
      const home = join(await tempDir(), 'home');
      for (const args of [
        ['master', 'install', invite, '-i', path, '--home', home],
        ['backup', 'verify', invite, '-i', path],
      ]) {
        const { code, stdout, stderr } = await zester([...args, ...more]);
        expect([code, stderr.includes('ERR_BACKUP_IDENTITY')], stderr).toEqual([3, true]);
        expect((stdout + stderr).toUpperCase()).not.toContain(damaged.slice(20, 40));
      }
    },
  );
});

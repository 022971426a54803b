import { Encrypter, generateX25519Identity, identityToRecipient } from 'age-encryption';
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pack } from 'tar-stream';
import { describe, expect, it } from 'vitest';
import { END_ENTRY, HEADER_ENTRY, isHomePath, signedSummary } from '../../src/backup/entries.js';
import { readIdentities } from '../../src/backup/age-identities.js';
import { readBackup } from '../../src/backup/read-archive.js';
import { addToDigest } from '../../src/backup/write-archive.js';
import { createUserJwt } from '../../src/jwt/user.js';
import { generateKeyBundle } from '../../src/nkeys/key-bundle.js';
import { tempDir } from '../support/temp-dir.js';

type Entry = [name: string, content: string, type?: 'file' | 'symlink' | 'directory'];

const account = generateKeyBundle('account');
const user = generateKeyBundle('user');
const jwt = createUserJwt(user, account, { name: 'zester-master' });
const party = { name: 'a', publicKey: account.publicKey };
const HEADER = {
  format: 'zester-backup',
  version: 1,
  createdAt: '',
  zester: '',
  operator: party,
  account: party,
};
const header = (more: object = {}): Entry => [HEADER_ENTRY, JSON.stringify({ ...HEADER, ...more })];
const NONE = { files: 0, accounts: 0, peels: 0, tokens: 0, events: 0 };

/** The last entry, correctly signed, unless `change` makes it something else. */
function end(
  entries: Entry[],
  counts: Partial<typeof NONE> = {},
  change: (end: object) => object = (it) => it,
): Entry {
  const digest = createHash('sha256');
  for (const [name, content] of entries) addToDigest(digest, name, Buffer.from(content));
  const summary = JSON.stringify({ ...NONE, ...counts, sha256: digest.digest('hex') });
  const signature = Buffer.from(user.sign(signedSummary(summary))).toString('base64url');
  return [END_ENTRY, JSON.stringify(change({ summary, jwt, signature }))];
}

/** Writes an archive, encrypted to an identity, and reads it as a backup. */
async function reading(entries: Entry[]): Promise<unknown[]> {
  const archive = pack();
  for (const [name, content, type = 'file'] of entries) {
    if (type === 'file') archive.entry({ name, type }, content);
    else archive.entry({ name, type, linkname: content });
  }
  archive.finalize();
  const chunks: Uint8Array[] = [];
  for await (const chunk of archive as AsyncIterable<Uint8Array>) chunks.push(chunk);
  const identity = await generateX25519Identity();
  const encrypter = new Encrypter();
  encrypter.addRecipient(await identityToRecipient(identity));
  const path = join(await tempDir(), 'backup.age');
  await writeFile(path, await encrypter.encrypt(Buffer.concat(chunks)));
  const pieces: unknown[] = [];
  for await (const piece of readBackup(path, [identity])) pieces.push(piece);
  return pieces;
}

const line = (value: object) => `${JSON.stringify(value)}\n`;
const event = {
  id: 'e1',
  at: '',
  by: { kind: 'master', name: 'm' },
  kind: 'peel.accepted',
  peelId: 'web-01',
  number: 1,
};
const peel = { id: 'web-01', state: 'active', keys: [], number: 1, createdAt: '', updatedAt: '' };
const stored = (more: object = {}, of: object = event) =>
  JSON.stringify({ record: { ...peel, ...more }, event: of });

describe('an archive from another source', () => {
  it('is read when everything is in its place', async () => {
    const entries: Entry[] = [
      header(),
      ['peels/000001.ndjson', line({ key: 'web-01', value: stored() })],
      ['home/jwt/account.jwt', 'x'],
      ['audit/000001.ndjson', line({ id: 'e1', subject: 'zester.audit.web-01.peel.accepted', data: '{}' })],
    ];
    const pieces = await reading([...entries, end(entries, { peels: 1, files: 1, events: 1 })]);
    expect(pieces.map((piece) => (piece as { is: string }).is)).toEqual([
      'header',
      'peel',
      'file',
      'event',
      'end',
    ]);
  });

  it.each<[string, Entry[], Partial<typeof NONE>?]>([
    ['has no header', [['home/zester.json', '{}']]],
    ['has two headers', [header(), header()]],
    ['has a header of another program', [[HEADER_ENTRY, '{"format":"tar"}']]],
    ['has an unknown entry', [header(), ['notes.txt', 'x']]],
    ['leaves the home', [header(), ['home/../../.ssh/authorized_keys', 'x']], { files: 1 }],
    ['has an absolute path', [header(), ['home//etc/passwd', 'x']], { files: 1 }],
    ['writes into the lock of a home', [header(), ['home/lock/1', 'x']], { files: 1 }],
    [
      'writes into the directory of a server',
      [header(), ['home/nats-server/nats-server.conf', 'x']],
      { files: 1 },
    ],
    ['has a link', [header(), ['home/zester.json', '/etc/shadow', 'symlink']]],
    ['has a directory', [header(), ['home/keys', '', 'directory']]],
    ['has a file twice', [header(), ['home/zester.json', 'x'], ['home/zester.json', 'y']], { files: 2 }],
    ['has a line that is no JSON', [header(), ['peels/000001.ndjson', 'x\n']], { peels: 1 }],
    [
      'has a record under the key of another peel',
      [header(), ['peels/000001.ndjson', line({ key: 'web-02', value: stored() })]],
      { peels: 1 },
    ],
    [
      'has a record with the event of another',
      [header(), ['peels/000001.ndjson', line({ key: 'web-01', value: stored({ number: 2 }) })]],
      { peels: 1 },
    ],
    [
      'has a record of a hostile name',
      [
        header(),
        [
          'peels/000001.ndjson',
          line({ key: 'a.b', value: stored({ id: 'a.b' }, { ...event, peelId: 'a.b' }) }),
        ],
      ],
      { peels: 1 },
    ],
    ...['zester.cmd.web-01', '$JS.API.STREAM.DELETE.zester-audit', 'zester.audit.>', 'zester.audit.a b'].map(
      (subject): [string, Entry[], Partial<typeof NONE>] => [
        `publishes to ${subject}`,
        [header(), ['audit/000001.ndjson', line({ id: 'e1', subject, data: '{}' })]],
        { events: 1 },
      ],
    ),
  ])('is refused when it %s', async (_what, entries, counts) => {
    await expect(reading([...entries, end(entries, counts)])).rejects.toMatchObject({
      code: 'ERR_BACKUP_DAMAGED',
    });
  });

  it.each<[string, (end: Record<string, string>) => object]>([
    [
      'its signature is of another key',
      (it) => ({ ...it, signature: Buffer.alloc(64).toString('base64url') }),
    ],
    ['its JWT is none', (it) => ({ ...it, jwt: 'a.b.c' })],
    [
      'its summary is of another backup',
      (it) => ({ ...it, summary: it['summary']?.replace('"files":0', '"files":1') }),
    ],
    ['it lacks its signature', ({ summary, jwt: of }) => ({ summary, jwt: of })],
  ])('is refused when %s', async (_what, change) => {
    const entries = [header()];
    const last = end(entries, {}, (it) => change(it as Record<string, string>));
    await expect(reading([...entries, last])).rejects.toMatchObject({ code: 'ERR_BACKUP_DAMAGED' });
  });

  it('is refused when its end is missing, or something follows it', async () => {
    const entries = [header()];
    await expect(reading(entries)).rejects.toMatchObject({ code: 'ERR_BACKUP_DAMAGED' });
    await expect(reading([...entries, end(entries), ['home/a', 'x']])).rejects.toMatchObject({
      code: 'ERR_BACKUP_DAMAGED',
    });
  });

  it('is refused if it is from a newer version, which the error names', async () => {
    await expect(reading([header({ version: 2 })])).rejects.toMatchObject({ code: 'ERR_BACKUP_VERSION' });
  });
});

describe('a path below a home', () => {
  it.each([
    'zester.json',
    'keys/operator-signing.OABC.seed',
    'creds/web-01.creds',
    'tls/ca/ca.crt',
    'a@b+c,d=e',
  ])('is %s', (path) => expect(isHomePath(path)).toBe(true));
  it.each([
    '',
    '/',
    '..',
    'a/..',
    './a',
    'a//b',
    'a\\b',
    'a\nb',
    'a\0',
    'ü',
    'lock',
    'lock/1',
    'nats-server/x',
    '.restoring/a',
    'a/b/c/d/e/f/g',
    'x'.repeat(201),
  ])('is not %j', (path) => expect(isHomePath(path)).toBe(false));
});

describe('an identity file', () => {
  it('is read as age-keygen writes it, and named when it is something else', async () => {
    const dir = await tempDir();
    const identity = await generateX25519Identity();
    const path = join(dir, 'key.txt');
    await writeFile(path, `# created: now\n# public key: age1\n${identity}\r\n`, { mode: 0o600 });
    expect(await readIdentities(path)).toEqual([identity]);
    const other = join(dir, 'other.txt');
    await writeFile(other, 'hello\n', { mode: 0o600 });
    await expect(readIdentities(other)).rejects.toMatchObject({ code: 'ERR_BACKUP_IDENTITY' });
  });
});

import { execFile } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Decrypter, generateIdentity, identityToRecipient } from 'age-encryption';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { SINKS, type SinkName } from '../../src/provision/sinks/sink-kinds.js';
import { parseCredsData } from '../../src/creds/parse.js';
import { validateJwtChain } from '../../src/jwt/chain.js';
import { loadJwtFile } from '../../src/creds/load-jwt-file.js';
import { createTrustDomain } from '../../src/trust/create/create.js';
import { readIssued } from '../../src/trust/issued.js';
import { openTrustDomain } from '../../src/trust/open.js';
import { SEED } from '../support/refusal.js';
import { tempDir } from '../support/temp-dir.js';
import { zester, type ZesterOptions } from './run-zester.js';

const IDS = ['web-01', 'Web_01', 'x'.repeat(128)];
/** More than a batch. */
const MANY = Array.from({ length: 100 }, (_, i) => `db-${i}`);
/** So many that a thread takes part. A program or an encryption for each would take too long. */
const FLEET = Array.from({ length: 200 }, (_, i) => `db-${i}`);

/** What a consumer of a sink gets for a peel. */
interface Got {
  peelId: string;
  creds: string;
  /** If the sink says it beside the credentials. */
  publicKey?: string;
}

/** A sink as its user sees it. */
interface Use {
  /** The options after `--sink`, in an empty directory for what the sink leaves. */
  args: (dir: string) => string[];
  /** For an archive: what unpacks it, modes included. */
  unpack?: (dir: string, to: string) => Promise<unknown>;
  /** Reads the credentials like a program that gets them from there. `dir` is where an archive was unpacked. */
  read: (dir: string, stdout: string) => Promise<Got[]>;
  /** What keeps a second run from issuing everything again, according to docs/bulk.md. */
  again: 'resume' | 'journal' | 'keeps its file';
  /** Whether the files hold the seeds in plain text. */
  plain: boolean;
}

const identity = await generateIdentity();
const recipient = await identityToRecipient(identity);
/** As a secret store would be given: the credentials on standard input. It can be told to refuse a peel's. */
const STORE =
  'test "$ZESTER_PEEL_ID" != "$REFUSED" || exit 1; umask 077; cat > "$0/$ZESTER_PEEL_ID"; printf %s "$ZESTER_PUBLIC_KEY" > "$0/$ZESTER_PEEL_ID.key"';

const fromLines = (text: string) =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Got);

const fromManifests = (text: string) =>
  parseAllDocuments(text).map((document): Got => {
    const { metadata, stringData } = document.toJS() as Manifest;
    const { 'zester/peel-id': peelId, 'zester/public-key': publicKey } = metadata.annotations;
    return { peelId, publicKey, creds: stringData['peel.creds'] };
  });

const fromFiles = async (dir: string, ending: string, open: (bytes: Buffer) => Promise<string> | string) => {
  const names = (await readdir(dir)).filter((name) => name.endsWith(ending));
  return Promise.all(
    names.map(async (name): Promise<Got> => {
      const creds = await open(await readFile(join(dir, name)));
      return { peelId: name.slice(0, -ending.length), creds };
    }),
  );
};

async function decrypted(bytes: Buffer): Promise<string> {
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  return decrypter.decrypt(bytes, 'text');
}

/** Both ways to use a sink that writes documents. @param args the options for standard output */
function documents(name: string, parse: (text: string) => Got[], args: string[] = []) {
  return {
    'standard output': {
      args: () => args,
      read: async (_dir, stdout) => parse(stdout),
      again: 'journal',
      plain: true,
    },
    'a file': {
      args: (dir) => ['--out', join(dir, name)],
      read: async (dir) => parse(await readFile(join(dir, name), 'utf8')),
      again: 'keeps its file',
      plain: true,
    },
  } satisfies Record<string, Use>;
}

/** The ways to use each sink. A new sink needs its row to compile. */
const USES: Record<SinkName, Readonly<Record<string, Use>>> = {
  dir: {
    'a directory': {
      args: (dir) => ['--out', dir],
      read: (dir) => fromFiles(dir, '.creds', String),
      again: 'resume',
      plain: true,
    },
  },
  age: {
    'a directory': {
      args: (dir) => ['-r', recipient, '--out', dir],
      read: (dir) => fromFiles(dir, '.creds.age', decrypted),
      again: 'resume',
      plain: false,
    },
  },
  ndjson: documents('peels.ndjson', fromLines),
  kubernetes: documents('peels.yaml', fromManifests, ['--namespace', 'fleet']),
  tar: {
    'a file': {
      args: (dir) => ['--out', join(dir, 'peels.tar')],
      unpack: (dir, to) =>
        promisify(execFile)('tar', ['-xpf', join(dir, 'peels.tar'), '--no-same-owner', '-C', to]),
      read: (dir) => fromFiles(dir, '.creds', String),
      again: 'keeps its file',
      plain: true,
    },
  },
  exec: {
    'a program': {
      args: (dir) => ['--retries', '0', '--', 'sh', '-c', STORE, dir],
      read: async (dir) => {
        const got = await fromFiles(dir, '.key', String);
        return Promise.all(
          got.map(async ({ peelId, creds: publicKey }) => {
            return { peelId, publicKey, creds: await readFile(join(dir, peelId), 'utf8') };
          }),
        );
      },
      again: 'journal',
      plain: true,
    },
  },
};

let home: string;
let list: string;
let longList: string;
let fleetList: string;
beforeAll(async () => {
  const dir = await tempDir();
  home = join(dir, 'home');
  await createTrustDomain(home);
  list = join(dir, 'peels.txt');
  await writeFile(list, `${IDS.join('\n')}\n`);
  longList = join(dir, 'many.txt');
  await writeFile(longList, `${MANY.join('\n')}\n`);
  fleetList = join(dir, 'fleet.txt');
  await writeFile(fleetList, `${FLEET.join('\n')}\n`);
});

const cases = Object.entries(USES).flatMap(([sink, uses]) =>
  Object.entries(uses).map(([where, use]) => ({ sink, where, use })),
);

describe.each(cases)('--sink $sink to $where', ({ sink, where, use }) => {
  const issuedFrom = (from: string, dir: string, more: string[] = [], options?: ZesterOptions) =>
    withoutSpool(['--from', from, '--sink', sink, ...more, ...use.args(dir)], options);
  const issued = (dir: string, ...more: string[]) => issuedFrom(list, dir, more);

  it('gives its consumer the credentials that were issued, and gives nobody else any', async () => {
    const dir = await tempDir();
    const before = (await records()).length;
    const { code, stdout, stderr } = await issued(dir);
    expect(code, stderr).toBe(0);

    const got = await readBack(use, dir, stdout);
    const made = (await records()).slice(before);
    expect(got.map(({ peelId }) => peelId).sort()).toEqual([...IDS].sort());
    expect(made.map(({ peelId }) => peelId)).toEqual(IDS);
    const { paths } = await openTrustDomain(home);
    for (const { peelId, creds, publicKey } of got) {
      const record = made.find((one) => one.peelId === peelId);
      const { claims, jwt } = parseCredsData(creds, peelId);
      expect(claims).toMatchObject({ name: peelId, sub: record?.publicKey, iss: record?.issuer });
      if (publicKey !== undefined) expect(publicKey).toBe(record?.publicKey);
      validateJwtChain(await loadJwtFile(paths.operatorJwt), await loadJwtFile(paths.accountJwt), jwt);
    }

    await expectPrivate(dir);
    expect(stderr).not.toMatch(SEED);
    const files = await contents(dir);
    if (files.size > 0) expect(stdout).not.toMatch(SEED);
    if (!use.plain) for (const text of files.values()) expect(text).not.toMatch(SEED);
  });

  it('gives the credentials of every batch', async () => {
    const dir = await tempDir();
    const [from, ids] = sink === 'exec' || sink === 'age' ? [longList, MANY] : [fleetList, FLEET];
    const { code, stdout, stderr } = await issuedFrom(from, dir);
    expect(code, stderr).toBe(0);
    const got = await readBack(use, dir, stdout);
    expect(got.map(({ peelId }) => peelId).sort()).toEqual([...ids].sort());
    for (const { peelId, creds } of got) expect(parseCredsData(creds, peelId).claims.name).toBe(peelId);
    await expectPrivate(dir);
  });

  it('prints no seed on a terminal', async () => {
    const dir = await tempDir();
    const { code, stdout, stderr } = await issuedFrom(list, dir, [], { tty: true });
    expect(stdout + stderr).not.toMatch(SEED);
    // it is refused only where it would print them
    expect(code, stderr).toBe(where === 'standard output' ? 2 : 0);
  });

  it('issues nothing again in a second run', async () => {
    const dir = await tempDir();
    const journal = use.again === 'journal' ? ['--journal', join(await tempDir(), 'done.txt')] : [];
    expect((await issued(dir, ...journal)).code).toBe(0);
    const [files, made] = [await contents(dir), await records()];

    if (use.again !== 'keeps its file') {
      const { code, stdout, stderr } = await issued(dir, '--resume', ...journal);
      expect(code, stderr).toBe(0);
      expect(stdout + stderr).toContain(`0 issued, ${IDS.length} skipped (already issued)`);
      expect(await records()).toEqual(made);
    }
    if (use.again !== 'journal') expect((await issued(dir)).code).toBe(1);
    expect(await contents(dir)).toEqual(files);
  });
});

const sinksOf = (...outputs: (typeof SINKS)[SinkName][]) =>
  (Object.keys(USES) as SinkName[]).filter((sink) => outputs.includes(SINKS[sink]));

it.each(sinksOf('stream', 'archive'))('--sink %s --out - prints no seed on a terminal', async (sink) => {
  const { code, stdout, stderr } = await withoutSpool(['--from', list, '--sink', sink, '--out', '-'], {
    tty: true,
  });
  expect(stdout + stderr).not.toMatch(SEED);
  expect(code, stderr).toBe(2);
});

it.each(sinksOf('archive'))('--sink %s is unpacked here, to see the modes of its entries', (sink) => {
  for (const { unpack } of Object.values(USES[sink])) expect(unpack).toBeTypeOf('function');
});

const those = (again: Use['again']) => cases.filter(({ use }) => use.again === again);

it.each(those('journal'))(
  'the journal of --sink $sink to $where names only what arrived',
  async ({ sink, use }) => {
    const dir = await tempDir();
    const journal = join(await tempDir(), 'done.txt');
    let arrived = '';
    // as a full disk: standard output takes the first batch, the program takes all but the last
    const send = async (bytes: Uint8Array) => {
      await setImmediate();
      if (arrived !== '') throw new Error('full');
      arrived = Buffer.from(bytes).toString();
    };
    const args = ['--from', longList, '--sink', sink, '--journal', journal, ...use.args(dir)];
    const env = { REFUSED: MANY.at(-1) ?? '' };
    expect((await withoutSpool(args, { env, send })).code).not.toBe(0);

    const got = (await readBack(use, dir, arrived)).map(({ peelId }) => peelId);
    const [, ...noted] = (await readFile(journal, 'utf8')).trim().split('\n');
    expect(noted.sort()).toEqual(got.sort());
    expect(got).not.toEqual([]);
    expect(got.length).toBeLessThan(MANY.length);
  },
);

it.each(those('keeps its file'))(
  'an interrupted --sink $sink to $where leaves no file, and reports none as issued',
  async ({ sink, use }) => {
    const dir = await tempDir();
    const sizes = () => readdirSync(dir).map((name) => statSync(join(dir, name)).size);
    const onListening = (interrupt: (signal: 'SIGINT') => void) => {
      const probe = setInterval(() => {
        if (!sizes().some((size) => size > 0)) return;
        clearInterval(probe);
        interrupt('SIGINT');
      }, 1);
    };
    const from = join(await tempDir(), 'peels.txt');
    await writeFile(from, Array.from({ length: 1_500 }, (_, i) => `db-${i}\n`).join(''));
    const args = ['--from', from, '--workers', '0', '--sink', sink, ...use.args(dir)];
    const { code, stderr } = await withoutSpool(args, { onListening });
    expect(code, stderr).toBe(130);
    expect(stderr).toContain('interrupted after 0 issued');
    expect(sizes()).toEqual([]);
  },
);

it('docs/bulk.md says for each sink how an interrupted run is resumed', async () => {
  const text = await readFile(new URL('../../docs/bulk.md', import.meta.url), 'utf8');
  const rows = [...text.matchAll(/^\| `(\w+).*\| ([^|]*) \|$/gm)];
  const documented = rows.map(([, sink, how = '']): [string | undefined, Use['again']] => [
    sink,
    how.startsWith('checks the files') ? 'resume' : how === 'with `--journal`' ? 'journal' : 'keeps its file',
  ]);
  const kept = Object.entries(USES).map(([sink, uses]) => [sink, Object.values(uses)[0]?.again]);
  expect(Object.fromEntries(documented)).toEqual(Object.fromEntries(kept));
});

/** Issues credentials with an own directory for temporary files. It must be empty afterwards: a spool has seeds. */
async function withoutSpool(args: readonly string[], { env, ...options }: ZesterOptions = {}) {
  const spool = await tempDir();
  vi.stubEnv('TMPDIR', spool);
  try {
    return await zester(['creds', 'issue', '--home', home, ...args], {
      ...options,
      env: { ...env, TMPDIR: spool },
    });
  } finally {
    vi.unstubAllEnvs();
    expect(await readdir(spool), 'left among the temporary files').toEqual([]);
  }
}

/** What the consumer of a sink gets; the entries of an archive are as private as files. */
async function readBack({ unpack, read }: Use, dir: string, stdout: string): Promise<Got[]> {
  if (unpack === undefined) return read(dir, stdout);
  const unpacked = await tempDir();
  await unpack(dir, unpacked);
  await expectPrivate(unpacked);
  return read(unpacked, stdout);
}

async function records(): ReturnType<typeof readIssued> {
  return readIssued((await openTrustDomain(home)).paths.issued);
}

async function contents(dir: string): Promise<Map<string, string>> {
  const names = (await readdir(dir)).sort();
  return new Map(
    await Promise.all(names.map(async (name) => [name, await readFile(join(dir, name), 'latin1')] as const)),
  );
}

/** Only the owner can read what is in a directory. */
async function expectPrivate(dir: string): Promise<void> {
  for (const name of await readdir(dir)) expect((await stat(join(dir, name))).mode & 0o777, name).toBe(0o600);
}

interface Manifest {
  metadata: { annotations: Record<'zester/peel-id' | 'zester/public-key', string> };
  stringData: { 'peel.creds': string };
}

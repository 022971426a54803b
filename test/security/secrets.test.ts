// Seeds and passwords are in their own files and nowhere else, through the whole life of a fleet.
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { decodeSeed } from '../../src/nkeys/encoding.js';
import { generateKeyBundle } from '../../src/nkeys/key-bundle.js';
import { atEnd } from '../support/cleanup.js';
import { tempDir } from '../support/temp-dir.js';
import { waitFor } from '../support/wait-for.js';
import { ZESTER } from '../support/zester-command.js';
import { ProcessWatcher, SecretScanner } from './secret-scan.js';

const IS_LONG = process.env['ZESTER_SECURITY'] === 'long';

describe('the scanner', () => {
  const text = Buffer.from(generateKeyBundle('user').seed).toString();
  const raw = Buffer.from(decodeSeed(text).raw);
  const pad = (bytes: Buffer | string) =>
    Buffer.concat([Buffer.from('a log line: '), Buffer.from(bytes), Buffer.from(' end\n')]);
  const planted: Record<string, Buffer> = {
    'the text': pad(text),
    'most of the text': pad(text.slice(2, 50)),
    'the raw bytes': pad(raw),
    'hex of the raw bytes': pad(raw.toString('hex')),
    'upper-case hex of the text': pad(Buffer.from(text).toString('hex').toUpperCase()),
    'base64 of the raw bytes': pad(raw.toString('base64')),
    'base64url of the raw bytes': pad(raw.toString('base64url')),
    'base64 of a file with it': pad(
      Buffer.from(`-----BEGIN USER NKEY SEED-----\n${text}\n`).toString('base64'),
    ),
    'base64 of JSON with it': pad(Buffer.from(`{"seed":"${text}"}`).toString('base64url')),
    'its bytes in JSON': pad(JSON.stringify([...raw])),
    'its bytes as inspect shows them': pad(`Uint8Array(32) [ ${[...raw].join(', ')} ]`),
  };

  it.each(Object.entries(planted))('finds %s', async (_what, content) => {
    const dir = await tempDir();
    await writeFile(join(dir, 'web-01.creds'), text, { mode: 0o600 });
    const scanner = new SecretScanner();
    scanner.learnFrom(dir);
    expect(scanner.count).toBe(1);
    expect(scanner.findIn(dir)).toEqual([]);
    expect(scanner.find('the output', content).map(({ secret }) => secret)).toContain('web-01.creds');
    await writeFile(join(dir, 'debug.log'), content, { mode: 0o600 });
    expect(scanner.findIn(dir).map(({ where }) => where)).toContain('debug.log');
  });

  it('finds a seed whose own file others can read, and one that a process shows', async () => {
    const dir = await tempDir();
    const path = join(dir, 'web-01.creds');
    await writeFile(path, text, { mode: 0o600 });
    const scanner = new SecretScanner();
    scanner.learnFrom(dir);
    await chmod(path, 0o640);
    expect(scanner.findIn(dir)).toEqual([{ where: 'web-01.creds', secret: 'web-01.creds', form: 'base32' }]);

    const watcher = new ProcessWatcher();
    for (const [args, env] of [
      [['-e', 'setTimeout(() => {}, 300)', text], {}],
      [['-e', 'setTimeout(() => {}, 300)'], { LEAKED: text }],
    ] as const) {
      const child = spawn(process.execPath, args, { env, stdio: 'ignore' });
      await new Promise((resolve) => child.once('exit', resolve));
    }
    const shown = watcher.end();
    expect(scanner.find('/proc', shown)).toHaveLength(1);
    expect(shown.toString('latin1').split(text)).toHaveLength(3);
  });
});

const PASSWORD = 'hunter2-of-the-server';

/** The operations in the life of a fleet. Words in capitals are placeholders; commands with `?` may fail. */
const LIFE = `
peel add web-02 --out WORK/web-02.creds FLEET
join-token create --ids db-* --out WORK/token.creds FLEET
peel join --token WORK/token.creds --id db-01 --out WORK/db-01.creds --servers URL
creds issue --from WORK/list.txt --out WORK/bulk --home HOME
? creds issue --from WORK/list.txt --sink age -r RECIPIENT --out WORK/bulk-age --home HOME
? creds issue --from WORK/list.txt --sink exec --journal WORK/done.txt --home HOME -- cat
peel rotate web-01 --wait FLEET
ping web-01 FLEET
peel exec web-01 facts FLEET
peel list --json FLEET
peel show web-01 --json FLEET
creds bootstrap c-1 --out WORK/c-1.creds --home HOME
creds inspect WORK/c-1.creds --json
? creds verify WORK/c-1.creds --debug
admin add eve --role viewer --out WORK/eve.creds FLEET
keys add join-signing FLEET
keys add master-signing FLEET
? creds renew --home HOME
keys list --json FLEET
keys generate account --out WORK/new.nk
master invite --name host-b --out WORK/invite.age -r RECIPIENT FLEET
master install WORK/invite.age -i IDENTITY --home OTHER/home
backup --out WORK/fleet.age -r RECIPIENT FLEET
backup verify WORK/fleet.age -i IDENTITY
restore WORK/fleet.age -i IDENTITY --home OTHER/restored --home-only
? doctor --json FLEET
? doctor --integrity --debug FLEET
? audit --json FLEET
peel revoke web-02 --yes --reason stolen FLEET
? config show --json --home HOME
? creds inspect WORK/damaged.creds --debug
? creds verify WORK/damaged.creds --debug --json
? peel run --creds WORK/damaged.creds --servers URL --debug
? doctor --creds WORK/damaged.creds --debug FLEET
? peel add SEED --out WORK/x.creds --debug FLEET
? keys use SEED --debug FLEET
? creds inspect SEED --debug --json
`
  .trim()
  .split('\n');

interface Running {
  child: ChildProcess;
  text: () => string;
}

/** Runs the command like a user, in folders of one test, and keeps all output. */
class Scenario {
  readonly dir: string;
  readonly scanner = new SecretScanner();
  /** The values of placeholders in a command line. */
  readonly words: Record<string, string> = {};
  readonly #output: Buffer[] = [];
  readonly #running: Running[] = [];

  private constructor(dir: string) {
    this.dir = dir;
    this.words = { HOME: join(dir, 'home'), WORK: join(dir, 'work'), OTHER: join(dir, 'other') };
    atEnd(() => this.end());
  }

  static async make(): Promise<Scenario> {
    const scenario = new Scenario(await tempDir());
    for (const name of ['user', 'tmp', 'work', 'other', 'work/bulk'])
      await mkdir(join(scenario.dir, name), { mode: 0o700 });
    return scenario;
  }

  #spawn(line: string, env: Record<string, string>): Running {
    const names = new RegExp(`\\b(${Object.keys(this.words).join('|')})\\b`, 'g');
    const args = line.split(' ').flatMap((word) => {
      return word === 'FLEET'
        ? ['--home', this.words['HOME'] ?? '', '--servers', this.words['URL'] ?? '']
        : [word.replace(names, (name) => this.words[name] ?? '')];
    });
    const { PATH = '', ZESTER_NATS_SERVER } = process.env;
    const own: Buffer[] = [];
    const child = spawn(process.execPath, [...ZESTER, ...args], {
      cwd: this.words['WORK'],
      env: {
        PATH,
        HOME: join(this.dir, 'user'),
        TMPDIR: join(this.dir, 'tmp'),
        ...(ZESTER_NATS_SERVER !== undefined && { ZESTER_NATS_SERVER }),
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (data: Buffer) => {
        own.push(data);
        this.#output.push(data);
      });
    }
    return { child, text: () => Buffer.concat(own).toString() };
  }

  /**
   * Runs a command until it exits.
   *
   * @param killAfterMs kills it after this time
   */
  async run(line: string, env: Record<string, string> = {}, killAfterMs?: number): Promise<string> {
    const { child, text } = this.#spawn(line, env);
    const timer =
      killAfterMs === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), killAfterMs);
    const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
    clearTimeout(timer);
    this.scanner.learnFrom(this.dir);
    return code === 0 ? '' : `zester ${line} ended with ${code}: ${text()}`;
  }

  /** Starts a long-running command, and waits until it is ready. */
  async start(line: string, isReady: RegExp): Promise<string> {
    const running = this.#spawn(line, {});
    this.#running.push(running);
    await waitFor(`"zester ${line}" to be ready`, () => isReady.test(running.text()), 60_000);
    return running.text();
  }

  async end(): Promise<void> {
    for (const { child } of this.#running.splice(0).reverse()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill('SIGTERM');
      await new Promise((resolve) => child.once('close', resolve));
    }
  }

  get output(): Buffer {
    return Buffer.concat(this.#output);
  }
}

/** age identities are the user's own secrets, and are not scanned. */
async function makeIdentity(): Promise<{ RECIPIENT: string; IDENTITY: string }> {
  const identity = await generateX25519Identity();
  const path = join(await tempDir(), 'key.txt');
  await writeFile(path, `${identity}\n`, { mode: 0o600 });
  return { RECIPIENT: await identityToRecipient(identity), IDENTITY: path };
}

describe.runIf(IS_LONG && existsSync('/proc'))('the whole life of a fleet', () => {
  it('leaves each seed in its own file', async () => {
    const scenario = await Scenario.make();
    const { scanner, words } = scenario;
    const seed = Buffer.from(generateKeyBundle('user').seed).toString();
    Object.assign(words, await makeIdentity());
    await writeFile(join(scenario.dir, 'work', 'list.txt'), 'a-1\na-2\na-3\n');
    const damaged = `-----BEGIN USER NKEY SEED-----\n${seed}\n------END USER NKEY SEED------\n`;
    await writeFile(join(scenario.dir, 'work', 'damaged.creds'), damaged, { mode: 0o600 });
    const watcher = new ProcessWatcher();

    const line = 'up --home HOME --port -1 --json --policy auto-trusted --log-level debug';
    words['URL'] = /"url":"([^"]+)"/.exec(await scenario.start(line, /"event":"ready"/))?.[1] ?? '';
    const failed = [await scenario.run('peel add web-01 --out WORK/web-01.creds FLEET')];
    await scenario.start('peel run --creds WORK/web-01.creds --servers URL --log-level debug', /"started"/);
    for (const step of LIFE) {
      // the seed in place of another argument: then the caller itself exposes it to other processes
      if (step.includes('SEED')) continue;
      if (step.startsWith('? ')) await scenario.run(step.slice(2));
      else failed.push(await scenario.run(step));
    }
    for (const after of [150, 300, 450, 600, 900])
      await scenario.run(`peel add killed-${after} --out WORK/killed-${after}.creds FLEET`, {}, after);
    const shown = watcher.end();
    words['SEED'] = seed;
    for (const step of LIFE) if (step.includes('SEED')) await scenario.run(step.slice(2));
    failed.push(await scenario.run('keys export-identity OTHER/offline --yes --home HOME'));
    await scenario.end();

    expect(failed.filter((error) => error !== '')).toEqual([]);
    expect(scanner.count).toBeGreaterThan(25);
    expect(shown.length).toBeGreaterThan(10_000);
    expect(scenario.output.length).toBeGreaterThan(10_000);
    expect(scanner.find('/proc', shown)).toEqual([]);
    expect(scanner.find('the output', scenario.output)).toEqual([]);
    expect(scanner.findIn(scenario.dir)).toEqual([]);
    // it would have found one
    expect(scanner.find('a plant', Buffer.from(`x${seed}x`))).not.toEqual([]);
  }, 600_000);

  it('keeps no password of a server URL, from an option, the environment, a configuration or a home', async () => {
    const scenario = await Scenario.make();
    const { scanner, words } = scenario;
    words['URL'] = `nats://svc:${PASSWORD}@127.0.0.1:4333`;
    words['CONFIG'] = join(await tempDir(), 'master.yaml');
    await writeFile(words['CONFIG'], `servers: ${words['URL']}\n`, { mode: 0o600 });
    scanner.learnPassword(PASSWORD, 'a URL');
    expect(await scenario.run('init --home HOME --servers URL --debug')).toContain('a user or a password');
    await rm(join(scenario.dir, 'home'), { recursive: true, force: true });
    expect(await scenario.run('init --home HOME')).toBe('');
    const env = { ZESTER_SERVERS: words['URL'] };
    for (const flag of ['', ' --json', ' --debug']) {
      for (const command of ['peel list', 'account push', 'doctor', 'server config']) {
        await scenario.run(`${command} --home HOME --servers URL${flag}`);
        await scenario.run(`${command} --home HOME${flag}`, env);
      }
      for (const command of ['master', 'config show'])
        await scenario.run(`${command} --home HOME --config CONFIG${flag}`);
    }
    expect(scenario.output.length).toBeGreaterThan(1_000);
    expect(scanner.find('the output', scenario.output)).toEqual([]);
    expect(scanner.findIn(scenario.dir)).toEqual([]);
  }, 300_000);
});

import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { CliIo, InterruptSignal } from '../../../src/cli/terminal/io.js';
import { runCli } from '../../../src/cli/run.js';
import { loadCredsFile } from '../../../src/creds/parse.js';
import { zester as run } from '../../cli/run-zester.js';
import { atEnd } from '../../support/cleanup.js';
import { freePort, freePorts } from '../../support/free-port.js';
import { isAlive } from '../../support/processes.js';
import { tempDir } from '../../support/temp-dir.js';
import { waitFor } from '../../support/wait-for.js';
import { startZester, type ZesterProcess } from '../server/zester-process.js';
import { startHome } from '../trust/support.js';
import { SEED } from '../../support/refusal.js';
import { TestPeel } from './peels.js';

interface Ready {
  event: 'ready';
  url: string;
  master: string;
  policy: string;
  http: string | null;
}

/** A long-running program, as a separate process or in this one. */
interface Program {
  stdout: () => string;
  stderr: () => string;
  kill(signal: InterruptSignal): void;
  exited: Promise<{ code: number | null }>;
}

/** Runs a command line in this process, until it is interrupted. */
function start(args: readonly string[], env: Record<string, string> = {}): Program {
  let stdout = '';
  let stderr = '';
  let interrupt: (signal: InterruptSignal) => void = () => undefined;
  const io: CliIo = {
    stdout: { write: (text) => void (stdout += text), isTTY: false },
    stderr: { write: (text) => void (stderr += text), isTTY: false },
    env,
    now: Date.now,
    onInterrupt: (stop) => {
      interrupt = stop;
      return () => (interrupt = () => undefined);
    },
  };
  const exited = runCli(args, io).then((code) => ({ code }));
  atEnd(async () => {
    interrupt('SIGTERM');
    await exited;
  });
  return {
    stdout: () => stdout,
    stderr: () => stderr,
    kill: (signal) => interrupt(signal),
    exited,
  };
}

/** Waits for the line that a program prints when it is ready. */
async function ready(program: Program): Promise<Ready> {
  const ended = program.exited.then(() => {
    throw new Error(`it ended: ${program.stderr()}`);
  });
  const line = waitFor(
    'it to be ready',
    () =>
      program
        .stdout()
        .split('\n')
        .find((text) => text.includes('"event":"ready"')),
    45_000,
  );
  return JSON.parse(await Promise.race([line, ended])) as Ready;
}

/** The entries of a log, all of which are JSON. */
function logOf(program: Program): { level: string; msg: string; from?: string }[] {
  return program
    .stderr()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { level: string; msg: string });
}

/** The error of a command: its last line. */
function errorOf(program: Program): { code: string } {
  const last = program.stderr().trimEnd().split('\n').at(-1) ?? '';
  return (JSON.parse(last) as { error: { code: string } }).error;
}

/** The repeated entries of a log. */
function repeated(log: readonly { msg: string }[]): string[] {
  const lines = log.map((entry) => JSON.stringify({ ...entry, time: undefined }));
  return lines.filter((line, at) => lines.indexOf(line) !== at);
}

/** `zester up` on an empty home. */
async function up<P extends Program>(by: (args: string[]) => P, ...args: string[]) {
  const home = join(await tempDir(), 'home');
  const program = by(['up', '--home', home, '--port', '-1', '--json', ...args]);
  const is = await ready(program);
  const env = { ZESTER_HOME: home, ZESTER_SERVERS: is.url };
  return { home, program, ready: is, zester: (...words: string[]) => run(words, { env }) };
}

/** The process of the nats-server that a program runs. */
async function serverPid(program: ZesterProcess): Promise<number> {
  const children = await readFile(`/proc/${program.pid}/task/${program.pid}/children`, 'utf8');
  for (const pid of children.trim().split(' ').map(Number)) {
    if ((await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '')).startsWith('nats-server')) return pid;
  }
  throw new Error('no nats-server');
}

describe('zester up', () => {
  it('creates a home, starts a server and a master, and stops both on a signal', async () => {
    const fleet = await up(startZester, '--policy', 'auto-trusted', '--http', '127.0.0.1:0');
    expect(fleet.ready).toMatchObject({
      policy: 'auto-trusted',
      url: expect.stringMatching(/^nats:\/\/127\./),
    });
    const added = await fleet.zester('peel', 'add', 'web-01', '--out', `${fleet.home}/`);
    expect(added.code, added.stderr).toBe(0);
    const health = await fetch(`${fleet.ready.http}/healthz`);
    expect(health.status).toBe(200);
    expect(await health.json()).toMatchObject({ ok: true, problems: [], peels: 1 });
    const metrics = await (await fetch(`${fleet.ready.http}/metrics`)).text();
    expect(metrics).toContain('zester_master_requests_total{request="peel.add",outcome="ok"} 1');
    expect((await fetch(`${fleet.ready.http}/other`)).status).toBe(404);
    expect((await fetch(`${fleet.ready.http}/metrics`, { method: 'POST' })).status).toBe(405);
    const pid = await serverPid(fleet.program);
    fleet.program.kill('SIGTERM');
    expect(await fleet.program.exited).toEqual({ code: 0, signal: null });
    expect(isAlive(pid)).toBe(false);
    expect(fleet.program.stdout()).toContain('"event":"stopped"');
    const log = logOf(fleet.program);
    const has = (part: string) => log.findIndex(({ msg }) => msg.includes(part));
    expect(has('master stopped')).toBeGreaterThan(has('master ready'));
    expect(fleet.program.stderr() + fleet.program.stdout()).not.toMatch(SEED);
    // the next start uses the same home
    const again = startZester(['up', '--home', fleet.home, '--port', '-1', '--json']);
    const { url } = await ready(again);
    const env = { ZESTER_HOME: fleet.home, ZESTER_SERVERS: url };
    expect((await run(['peel', 'list'], { env })).stdout).toContain('web-01  accepted');
    again.kill('SIGINT');
    expect(await again.exited).toEqual({ code: 0, signal: null });
  });

  it('exits with 1 if the server stops by itself, and names and quotes its log', async () => {
    const { program, home } = await up(startZester);
    process.kill(await serverPid(program), 'SIGKILL');
    expect((await program.exited).code).toBe(1);
    expect(program.stderr()).toContain('stopped by itself (SIGKILL)');
    expect(errorOf(program).code).toBe('ERR_NATS_SERVER_ENDED');
    expect(repeated(logOf(program).slice(0, -1))).toEqual([]);
    const path = join(home, 'nats-server', 'nats-server.log');
    expect(program.stderr()).toContain(path);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const log = await readFile(path, 'utf8');
    expect(log).toContain('Server is ready');
    const [, words = 'none'] = /which ends with: ([^"\\]*)/.exec(program.stderr()) ?? [];
    expect(log.trimEnd().split('\n').at(-1)).toContain(words);
    expect(log).not.toMatch(SEED);
  });

  it('with --restart starts a killed server again: the master and the peels are back', async () => {
    const fleet = await up(startZester, '--restart', '--policy', 'auto-trusted');
    const added = await fleet.zester('peel', 'add', 'web-01', '--out', `${fleet.home}/`);
    expect(added.code, added.stderr).toBe(0);
    await TestPeel.start({ servers: [fleet.ready.url] }, join(fleet.home, 'web-01.creds'));
    const pings = () =>
      waitFor('web-01 to answer', async () => (await fleet.zester('ping', 'web-01')).code === 0, 45_000);
    await pings();
    // the second time too
    for (const times of [1, 2]) {
      const before = logOf(fleet.program).length;
      const pid = await serverPid(fleet.program);
      process.kill(pid, 'SIGKILL');
      await waitFor(
        'another server',
        () => fleet.program.stderr().split('nats-server accepts clients').length === times + 2 || undefined,
        30_000,
      );
      expect(await serverPid(fleet.program)).not.toBe(pid);
      await pings();
      const listed = await waitFor(
        'the master',
        async () => {
          const { code, stdout } = await fleet.zester('peel', 'list', '--json');
          return code === 0 && stdout.includes('"connected": true') ? stdout : undefined;
        },
        45_000,
      );
      expect(JSON.parse(listed)).toMatchObject({ peels: [{ id: 'web-01', state: 'active' }] });
      const logged = () => logOf(fleet.program).slice(before);
      const count = (words: RegExp) => logged().filter(({ msg }) => words.test(msg)).length;
      await waitFor('the log to say it', () => count(/^reconnected to/) > 0);
      expect([count(/^disconnected/), count(/^reconnected to/)]).toEqual([1, 1]);
      expect(repeated(logged())).toEqual([]);
    }
    expect(logOf(fleet.program).some(({ msg }) => /restarting it in [\d.]+ s/.test(msg))).toBe(true);
    fleet.program.kill('SIGTERM');
    expect(await fleet.program.exited).toEqual({ code: 0, signal: null });
  });

  it('with --restart ends on a signal while the server cannot start', async () => {
    const fleet = await up(startZester, '--restart');
    const pid = await serverPid(fleet.program);
    await writeFile(join(fleet.home, 'zester.json'), 'broken');
    process.kill(pid, 'SIGKILL');
    await waitFor(
      'a second failure',
      () => fleet.program.stderr().split('restarting it').length > 2 || undefined,
    );
    fleet.program.kill('SIGTERM');
    expect(await fleet.program.exited).toEqual({ code: 0, signal: null });
  });

  it('is not delayed by an interrupted start', async () => {
    const home = join(await tempDir(), 'home');
    const program = start(['up', '--home', home, '--port', '-1', '--json', '--log-level', 'debug']);
    await waitFor('the server to be there', () => program.stderr().includes('accepts clients'));
    program.kill('SIGTERM');
    expect(await program.exited).toEqual({ code: 0 });
  });

  it('keeps a port in the new home, for the other commands', async () => {
    const home = join(await tempDir(), 'home');
    const port = await freePort();
    const program = start(['up', '--home', home, '--port', String(port), '--json']);
    await ready(program);
    const { code, stderr } = await run(['peel', 'list'], { env: { ZESTER_HOME: home } });
    expect(code, stderr).toBe(0);
    program.kill('SIGTERM');
    await program.exited;
  });

  it('warns that auto-all is for development', async () => {
    const { program } = await up(start, '--policy', 'auto-all');
    expect(
      logOf(program).some(({ level, msg }) => level === 'warn' && /EVERY peel.*development/.test(msg)),
    ).toBe(true);
    program.kill('SIGTERM');
    await program.exited;
  });

  it('reads its settings from master.yaml in the home', async () => {
    const first = await up(start);
    first.program.kill('SIGTERM');
    await first.program.exited;
    await writeFile(join(first.home, 'master.yaml'), 'policy: auto-trusted\nlifetime: 60s\nport: -1\n');
    const program = start(['up', '--home', first.home, '--json']);
    const { url, policy } = await ready(program);
    expect(policy).toBe('auto-trusted');
    const path = join(first.home, 'web-01.creds');
    const env = { ZESTER_HOME: first.home, ZESTER_SERVERS: url };
    await run(['peel', 'add', 'web-01', '--out', path], { env });
    const { claims } = await loadCredsFile(path);
    expect((claims.exp ?? 0) - claims.iat).toBe(60);
    program.kill('SIGTERM');
    await program.exited;
  });

  it('fails if it cannot serve its metrics, and reports it', async () => {
    const home = join(await tempDir(), 'home');
    const first = await up(start, '--http', '127.0.0.1:0');
    const http = first.ready.http?.replace('http://', '') ?? '';
    const program = start(['up', '--home', home, '--port', '-1', '--json', '--http', http]);
    expect((await program.exited).code).toBe(1);
    expect(program.stderr()).toContain(`cannot listen on ${http}`);
    first.program.kill('SIGTERM');
    await first.program.exited;
  });
});

describe('zester master', () => {
  it('continues with the third when one is killed and one is stopped', async () => {
    const home = await startHome();
    const env = { ZESTER_HOME: home.home, ZESTER_SERVERS: home.servers.join(',') };
    const masters = [1, 2, 3].map(() => startZester(['master', '--json', '--http', '0'], env));
    const readies = await Promise.all(masters.map(ready));
    expect(new Set(readies.map(({ master }) => master)).size).toBe(3);
    const [killed, stopped, third] = masters;
    killed?.kill('SIGKILL');
    stopped?.kill('SIGTERM');
    expect(await stopped?.exited).toEqual({ code: 0, signal: null });
    const path = join(await tempDir(), 'web-01.creds');
    const added = await run(['peel', 'add', 'web-01', '--out', path], { env });
    expect(added.code, added.stderr).toBe(0);
    const { http } = readies[2] ?? {};
    await waitFor(
      'the third to watch and be well',
      async () => (await fetch(`${http}/healthz`)).status === 200,
    );
    third?.kill('SIGTERM');
    expect(await third?.exited).toEqual({ code: 0, signal: null });
  });

  it('is unhealthy while its server is away, with the reason, and recovers', async () => {
    const home = await startHome();
    const env = { ZESTER_HOME: home.home, ZESTER_SERVERS: home.servers.join(',') };
    const master = start(['master', '--json', '--http', '127.0.0.1:0'], env);
    const { http } = await ready(master);
    const status = async () => (await fetch(`${http}/healthz`)).status;
    await waitFor('it to be healthy', async () => (await status()) === 200);
    const [server] = home.nodes;
    await server?.stop();
    const sick = await fetch(`${http}/healthz`);
    expect(sick.status).toBe(503);
    const { ok, problems } = (await sick.json()) as { ok: boolean; problems: string[] };
    expect(ok).toBe(false);
    expect(problems.join()).toMatch(/registry|connection/);
    await server?.start();
    await waitFor('it to be healthy again', async () => (await status()) === 200, 40_000);
    master.kill('SIGTERM');
    expect(await master.exited).toEqual({ code: 0 });
  });

  it('exits with 4 if no server is reachable, with 2 for an invalid policy, with 1 without a home', async () => {
    const home = await startHome();
    const [port] = await freePorts(1);
    const end = async (...args: string[]) => (await start(['master', ...args]).exited).code;
    expect(await end('--home', home.home, '--servers', `nats://127.0.0.1:${port}`)).toBe(4);
    expect(await end('--home', home.home, '--policy', 'everyone')).toBe(2);
    expect(await end('--home', join(await tempDir(), 'none'))).toBe(1);
  });
});

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadCredsFile } from '../../../src/creds/parse.js';
import type { AdminClient } from '../../../src/protocol/admin-client.js';
import type { CommandAnswer } from '../../../src/protocol/command.js';
import { fingerprint } from '../../../src/protocol/fingerprint.js';
import { encodeJson } from '../../../src/protocol/messages.js';
import { requestPeel } from '../../../src/fleet-client/request-peel.js';
import { atEnd } from '../../support/cleanup.js';
import { tsProgram } from '../../support/ts-program.js';
import { waitFor } from '../../support/wait-for.js';
import { startZester, type ZesterProcess } from '../server/zester-process.js';
import { connectUser } from './asking.js';
import { startFleet, type Fleet } from './fleet.js';
import { addCreds, tokenFile } from './peels.js';
import { SEED } from '../../support/refusal.js';

let fleet: Fleet;
let admin: AdminClient;
let servers: string;
beforeAll(async () => {
  fleet = await startFleet({ policy: 'manual', lifetime: 600 });
  admin = await fleet.admin();
  [servers = ''] = fleet.servers;
});

async function exec(peelId: string, handler: string, args: string[] = []): Promise<CommandAnswer> {
  const nc = await connectUser(fleet, 'commander', undefined);
  try {
    const data = encodeJson({ handler, args });
    return await waitFor(`an answer of ${peelId}`, async () =>
      (await requestPeel(nc, peelId, data, { timeoutMs: 1_000 })).json<CommandAnswer>(),
    );
  } finally {
    await nc.close();
  }
}

/** Resolves with the document of an event that a program printed with `--json`. */
async function printed(zester: ZesterProcess, event: string): Promise<Record<string, unknown>> {
  return waitFor(
    `${event}, after ${zester.stderr()}`,
    () =>
      zester
        .stdout()
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line) as Record<string, unknown>)
        .find((document) => document['event'] === event),
    30_000,
  );
}

describe('zester peel run', () => {
  it('reports when it is ready, answers, and exits with 0 on request', async () => {
    const creds = await addCreds(fleet, admin, 'run-1');
    const zester = startZester(['peel', 'run', '--creds', creds, '--servers', servers, '--json']);
    const { publicKey } = await loadCredsFile(creds);
    expect(await printed(zester, 'ready')).toMatchObject({ peelId: 'run-1', publicKey });
    expect(await exec('run-1', 'ping')).toMatchObject({ result: { pong: true } });
    zester.kill('SIGTERM');
    expect(await zester.exited).toEqual({ code: 0, signal: null });
    expect(await printed(zester, 'stopped')).toEqual({ event: 'stopped', peelId: 'run-1' });
    const log = zester.stderr().trim().split('\n');
    const entries = log.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(entries).toContainEqual(
      expect.objectContaining({ type: 'started', peelId: 'run-1', level: 'info' }),
    );
    expect(zester.stdout() + zester.stderr()).not.toMatch(SEED);
  });

  it('exits with 3 when a master ends it', async () => {
    const creds = await addCreds(fleet, admin, 'run-2');
    const zester = startZester(['peel', 'run', '--creds', creds, '--servers', servers]);
    await exec('run-2', 'ping');
    await fleet.record('run-2', ({ state }) => state === 'active');
    await admin.ask('peel.revoke', { peelId: 'run-2', reason: 'stolen' });
    expect((await zester.exited).code).toBe(3);
    const [last] = zester.stderr().trim().split('\n').slice(-1);
    expect(last).toBe('zester: the peel "run-2" is revoked (stolen) [ERR_FLEET_REVOKED]');
  });

  it('started before its server waits for it, and can be stopped while it waits', async () => {
    const creds = await addCreds(fleet, admin, 'run-3');
    const zester = startZester([
      'peel',
      'run',
      '--creds',
      creds,
      '--servers',
      'nats://127.0.0.1:1',
      '--json',
    ]);
    await waitFor('it to say that it waits', () => zester.stderr().includes('waiting for a server'), 30_000);
    zester.kill('SIGINT');
    expect((await zester.exited).code).toBe(0);
  });

  it.each([
    ['without credentials', 2, '--creds is missing', () => Promise.resolve([])],
    ['with a file that is not there', 1, 'no such file', () => Promise.resolve(['--creds', '/none/x.creds'])],
    [
      'with the credentials of another',
      3,
      'ERR_CREDS_OTHER_PEEL',
      async () => ['--creds', await addCreds(fleet, admin, 'run-4'), '--id', 'web-77'],
    ],
    [
      'with a URL that is none',
      2,
      '"http://" is not supported',
      async () => ['--creds', await addCreds(fleet, admin, 'run-5'), '--servers', 'http://x'],
    ],
  ])('%s ends at once', async (_what, code, words, args) => {
    const zester = startZester(['peel', 'run', '--servers', servers, ...(await args())]);
    expect((await zester.exited).code).toBe(code);
    expect(zester.stderr()).toContain(words);
    expect(zester.stdout()).toBe('');
  });
});

describe('zester peel join', () => {
  it('shows the fingerprint, waits for acceptance, writes the credentials, and runs the peel', async () => {
    const token = await tokenFile(fleet, admin);
    const out = join(fleet.home.dir, 'joined.creds');
    const args = ['--token', token, '--id', 'new-1', '--out', out, '--servers', servers];
    const zester = startZester(['peel', 'join', ...args, '--run']);
    const { keys } = await fleet.record('new-1', ({ state }) => state === 'pending');
    const shown = fingerprint(keys[0]?.publicKey ?? '');
    await waitFor('the fingerprint', () =>
      zester.stderr().includes(`zester peel accept new-1 --fingerprint ${shown}`),
    );
    await admin.ask('peel.accept', { peelId: 'new-1' });
    expect(await exec('new-1', 'facts')).toMatchObject({ result: { peelId: 'new-1' } });
    expect((await stat(out)).mode & 0o777).toBe(0o600);
    expect(zester.stdout()).toContain(`new-1 has joined: ${out}`);
    zester.kill('SIGTERM');
    expect((await zester.exited).code).toBe(0);
    expect(zester.stdout() + zester.stderr()).not.toMatch(SEED);

    // existing files are not overwritten
    const again = startZester(['peel', 'join', ...args]);
    expect((await again.exited).code).toBe(1);
    expect(again.stderr()).toContain('ERR_FILE_EXISTS');
  });

  it('exits with 3 if it is rejected or not accepted in time, and explains how to retry', async () => {
    const token = await tokenFile(fleet, admin);
    const out = join(fleet.home.dir, 'waiting.creds');
    const args = ['peel', 'join', '--token', token, '--id', 'new-2', '--out', out, '--servers', servers];
    const late = startZester([...args, '--wait', '300ms', '--json']);
    expect((await late.exited).code).toBe(3);
    const [line = ''] = late.stderr().trim().split('\n').slice(-1);
    expect(JSON.parse(line)).toMatchObject({ error: { code: 'ERR_FLEET_PENDING' } });
    expect(late.stderr()).toContain(`${out}.pending`);
    await admin.ask('peel.reject', { peelId: 'new-2' });
    const rejected = startZester(args);
    expect((await rejected.exited).code).toBe(3);
    expect(rejected.stderr()).toContain('ERR_FLEET_REJECTED');
  });

  it('interrupted keeps its key, and exits like an interrupted program', async () => {
    const token = await tokenFile(fleet, admin);
    const out = join(fleet.home.dir, 'interrupted.creds');
    const zester = startZester([
      'peel',
      'join',
      '--token',
      token,
      '--id',
      'new-3',
      '--out',
      out,
      '--servers',
      servers,
    ]);
    await waitFor('it to wait', () => zester.stderr().includes('waiting up to'), 30_000);
    zester.kill('SIGINT');
    expect((await zester.exited).code).toBe(130);
    expect((await stat(`${out}.pending`)).mode & 0o777).toBe(0o600);
  });
});

describe('the agent of examples/fleet-agent.ts', () => {
  const example = fileURLToPath(new URL('../../../examples/fleet-agent.ts', import.meta.url));

  it('has thirty lines', async () => {
    expect((await readFile(example, 'utf8')).trimEnd().split('\n').length).toBeLessThanOrEqual(30);
  });

  it('joins, answers with its own handler, reports, and stops on request', async () => {
    const token = await tokenFile(fleet, admin);
    const agent = spawn(process.execPath, [tsProgram(example), 'agent-1', token, servers], {
      cwd: fleet.home.dir,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [agent.stdout, agent.stderr]) stream.on('data', (data) => (output += String(data)));
    const ended = once(agent, 'close');
    atEnd(async () => {
      agent.kill('SIGKILL');
      await ended;
    });
    await fleet.record('agent-1', ({ state }) => state === 'pending');
    await admin.ask('peel.accept', { peelId: 'agent-1' });
    expect(await exec('agent-1', 'disk.free', ['/']), output).toMatchObject({
      result: { path: '/', freeBytes: expect.any(Number) },
    });
    agent.kill('SIGTERM');
    expect(await ended, output).toEqual([0, null]);
    expect(output).not.toMatch(SEED);
  });
});

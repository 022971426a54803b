import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { DemoResult } from '../../src/cli/demo/run.js';
import { zester } from '../cli/run-zester.js';
import { tempDir } from '../support/temp-dir.js';
import { SEED } from '../support/refusal.js';
import { ZESTER } from '../support/zester-command.js';

const STEPS = [
  'trust domain',
  'configuration',
  'server',
  'bootstrap',
  'chain',
  'connect',
  'command',
  'stranger',
  'other peel',
  'new key',
  'command again',
  'clean up',
];

/** Runs the demo like a user, with temporary files in a directory of the test. */
async function start(args: string[], env: Record<string, string> = {}) {
  const temporary = await tempDir();
  const child = spawn(process.execPath, [...ZESTER, 'demo', ...args], {
    env: { ...process.env, TMPDIR: temporary, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = new Promise<{ code: number | null; stdout: string; stderr: string; left: string[] }>(
    (resolve) => {
      child.once('close', (code) => {
        void readdir(temporary).then((entries) => {
          // the caches of node and tsx do not belong to the demo
          resolve({ code, stdout, stderr, left: entries.filter((entry) => entry.startsWith('zester')) });
        });
      });
    },
  );
  return { child, ended, temporary };
}

const isRunning = (pid: number) => spawnSync('kill', ['-0', String(pid)]).status === 0;
const serverPid = (text: string) => Number(/\(process (\d+)\)/.exec(text)?.[1]);

describe('zester demo', () => {
  it('runs all steps, prints one line per step, and leaves nothing behind', async () => {
    const { code, stdout, stderr, left } = await (await start([])).ended;

    expect(stderr).toBe('');
    expect(code).toBe(0);
    const lines = stdout.trim().split('\n');
    expect(lines).toHaveLength(STEPS.length);
    for (const [i, step] of STEPS.entries()) {
      expect(lines[i]).toMatch(new RegExp(`^ok +\\d+ ms +${step}  +\\S`));
    }
    expect(stdout).not.toMatch(SEED);
    expect(left).toEqual([]);
    expect(isRunning(serverPid(stdout))).toBe(false);
  });

  it('prints the same as one document with --json, and keeps the home with --keep', async () => {
    const { code, stdout, stderr, left } = await (await start(['--json', '--keep'])).ended;

    expect(stderr).toBe('');
    expect(code).toBe(0);
    const { ok, steps, home, next } = JSON.parse(stdout) as DemoResult;
    expect(ok).toBe(true);
    expect(steps.map(({ step }) => step)).toEqual(STEPS);
    for (const step of steps) {
      expect(step).toEqual({
        step: expect.any(String),
        ok: true,
        detail: expect.any(String),
        ms: expect.any(Number),
      });
    }
    expect(left).toHaveLength(1);
    expect(existsSync(join(home ?? '', 'creds', 'web-server-01.creds'))).toBe(true);
    expect(next.join('\n')).toContain('zester creds verify');
    await rm(home ?? '', { recursive: true });
  });

  it('shows that the peel reconnects with another key', async () => {
    const { code, stdout } = await zester(['demo', '--json']);
    expect(code).toBe(0);

    const { steps } = JSON.parse(stdout) as DemoResult;
    const [before] = /U[A-Z2-7]{55}/.exec(steps.find(({ step }) => step === 'bootstrap')?.detail ?? '') ?? [];
    const keys = steps.find(({ step }) => step === 'new key')?.detail.match(/U[A-Z2-7]{55}/g);
    expect(keys?.[0]).toBe(before);
    expect(keys?.[1]).toMatch(/^U/);
    expect(keys?.[1]).not.toBe(before);
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('stops its server and removes its home on %s', async (signal, exitCode) => {
    const { child, ended } = await start([]);
    const pid = await new Promise<number>((resolve) => {
      let seen = '';
      child.stdout.on('data', (text: string) => {
        seen += text;
        if (seen.includes('(process ')) resolve(serverPid(seen));
      });
    });
    child.kill(signal);
    const { code, stdout, stderr, left } = await ended;

    expect(code).toBe(exitCode);
    expect(stderr).toMatch(/^zester: interrupted by [^\n]+ \[ERR_INTERRUPTED\]\n$/);
    expect(stdout).toMatch(/clean up/);
    expect(left).toEqual([]);
    expect(isRunning(pid)).toBe(false);
  });

  it('explains in one line how to install a missing nats-server', async () => {
    const empty = join(await tempDir(), 'bin');
    await mkdir(empty);
    const { code, stdout, stderr, left } = await (
      await start([], { ZESTER_NATS_SERVER: join(empty, 'nats-server') })
    ).ended;

    expect(code).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^zester: [^\n]+ \[ERR_NATS_SERVER_NOT_FOUND\]\n$/);
    for (const way of ['apt-get install nats-server', 'brew install nats-server', 'docker run']) {
      expect(stderr).toContain(way);
    }
    expect(left).toEqual([]);
  });

  it('exits with 1, names the step and cleans up if a step fails', async () => {
    // a server that exits at once: `true` accepts any arguments
    const { code, stdout, stderr, left } = await (await start([], { ZESTER_NATS_SERVER: '/bin/true' })).ended;

    expect(code).toBe(1);
    expect(stdout).toMatch(/\nFAIL +\d+ ms +server /);
    expect(stdout).toMatch(/\nok +\d+ ms +clean up /);
    expect(stderr).toMatch(/^zester: the demo failed at "server": [^\n]+\n$/);
    expect(left).toEqual([]);
  });
});

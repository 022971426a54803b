import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { createTrustDomain } from '../../src/trust/create/create.js';
import { tempDir } from '../support/temp-dir.js';
import { ZESTER } from '../support/zester-command.js';

/** Commands that print without a server, each in a different way: text, a table, a document, a stream, help. */
const COMMANDS = [
  '--version',
  '--version --json',
  'peel add --help',
  'completion bash',
  'config show',
  'creds inspect CREDS --json',
  'creds issue --from LIST --sink kubernetes --home HOME --out -',
  'expirations --home HOME --servers nats://127.0.0.1:1',
  'server config --home HOME',
];

let dir: string;
let words: Record<string, string>;
beforeAll(async () => {
  dir = await tempDir();
  const { paths } = await createTrustDomain(join(dir, 'home'));
  words = { HOME: join(dir, 'home'), CREDS: paths.adminCreds, LIST: join(dir, 'list.txt') };
  await writeFile(join(dir, 'list.txt'), 'web-01\n');
});

interface Outcome {
  code: number;
  stderr: string;
}

/** Runs a command with its standard output redirected by the shell. */
async function run(command: string, redirection: string): Promise<Outcome> {
  const args = command.split(' ').map((word) => words[word] ?? word);
  const script = `"$@" ${redirection}; exit \${PIPESTATUS[0]}`;
  const env = { PATH: process.env['PATH'], HOME: dir };
  return new Promise((resolve) => {
    const all = ['-c', script, 'bash', process.execPath, ...ZESTER, ...args];
    execFile('bash', all, { env, timeout: 60_000 }, (error, _stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stderr });
    });
  });
}

/** Lines of standard error, without warnings. */
function remarks({ stderr }: Outcome): string[] {
  return stderr.split('\n').filter((line) => line !== '' && !line.startsWith('zester: warning: '));
}

describe.runIf(existsSync('/dev/full'))('output that cannot be written', () => {
  it.each(COMMANDS)('is one line and exit code 1: zester %s', async (command) => {
    const outcome = await run(command, '>/dev/full');
    expect(remarks(outcome)).toEqual([
      expect.stringMatching(/cannot write to standard output: .*(full|ENOSPC)/),
    ]);
    expect(outcome.code).toBe(1);
  });

  it('changes no exit code of a command that failed before, and its error stays the only line', async () => {
    const outcome = await run('peel list --nonsense', '>/dev/full');
    expect(outcome.code).toBe(2);
    expect(remarks(outcome)).toEqual([expect.stringContaining('unknown option')]);
  });

  it('on both streams is exit code 1', async () => {
    const outcome = await run('permissions show --home HOME', '>/dev/full 2>/dev/full');
    expect(outcome).toEqual({ code: 1, stderr: '' });
  });

  it('of remarks only is no failure', async () => {
    const command = 'expirations --home HOME --servers nats://127.0.0.1:1';
    expect(await run(command, '2>/dev/full >/dev/null')).toEqual({ code: 0, stderr: '' });
  });
});

describe('a pipe whose reader has exited', () => {
  it.each(['--version', 'completion bash', 'config show --json'])(
    'is no error: zester %s',
    async (command) => {
      const outcome = await run(command, '| true');
      expect(remarks(outcome)).toEqual([]);
      expect(outcome.code).toBe(0);
    },
  );
});

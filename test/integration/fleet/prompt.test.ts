import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { zester as run } from '../../cli/run-zester.js';
import { atEnd } from '../../support/cleanup.js';
import { tempDir } from '../../support/temp-dir.js';
import { waitFor } from '../../support/wait-for.js';
import { ZESTER } from '../../support/zester-command.js';
import { startFleet, type Fleet } from './fleet.js';
import { childInput } from '../../support/child-input.js';

/** From util-linux: runs a program on its own terminal. Debian always has it; other systems have a different one. */
const SCRIPT = '/usr/bin/script';

let fleet: Fleet;
beforeAll(async () => {
  fleet = await startFleet();
  const added = await zester('peel', 'add', 'web-01', '--out', `${await tempDir()}/`);
  expect(added.code, added.stderr).toBe(0);
});

const env = () => ({ ZESTER_HOME: fleet.home.home, ZESTER_SERVERS: fleet.servers.join(',') });
const zester = (...args: string[]) => run(args, { env: env() });

/** A `zester` on a terminal. */
async function onTerminal(...args: string[]) {
  const dir = await tempDir();
  const words = [process.execPath, ...ZESTER, ...args];
  // the shell is replaced, so that its process is the command's
  const command = `echo "pid $$" >&2; exec ${words.map((word) => `'${word}'`).join(' ')}`;
  const child = spawn(SCRIPT, ['--quiet', '--return', '--command', command, join(dir, 'typescript')], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, ...env(), SHELL: '/bin/sh' },
  });
  let screen = '';
  child.stdout.on('data', (data: Buffer) => (screen += data.toString()));
  const closed = once(child, 'close').then(([code]) => code as number);
  atEnd(async () => {
    child.kill('SIGKILL');
    await closed;
  });
  await waitFor('the question', () => screen.includes('Continue? [y/N] '), 30_000);
  return {
    type: (keys: string) => void childInput(child).write(keys),
    kill: (signal: NodeJS.Signals) => process.kill(Number(/pid (\d+)/.exec(screen)?.[1]), signal),
    /** The exit status, and the output after the prompt. */
    ended: async () => ({
      code: await closed,
      after: screen.slice(screen.lastIndexOf('[y/N]') + '[y/N] '.length),
    }),
  };
}

/** The text on a terminal, without cursor control codes. */
const plain = (text: string) => text.replace(/\u001b\[[0-9;]*[A-Za-z]/g, '').replaceAll('\r', '');

const INTERRUPTED = '\nzester: interrupted: nothing was changed [ERR_INTERRUPTED]\n';

describe.skipIf(!existsSync(SCRIPT))('a question on a terminal', () => {
  it('exits with 130 and one line on Ctrl-C in every command that prompts, and changes nothing', async () => {
    const signer = (await fleet.home.domain()).publicKeys.peelSigning;
    const added = await zester('keys', 'add', 'peel-signing');
    expect(added.code, added.stderr).toBe(0);
    for (const args of [
      ['peel', 'revoke', 'web-01'],
      ['revoke', 'web-01'],
      ['keys', 'remove', signer, '--force'],
      ['permissions', 'set', '--allow-publish', 'zester.metrics.{{name()}}'],
    ]) {
      const terminal = await onTerminal(...args);
      terminal.type('\u0003');
      const { code, after } = await terminal.ended();
      expect([code, plain(after)], args.join(' ')).toEqual([130, INTERRUPTED]);
    }
    const { code, stdout } = await zester('peel', 'list', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ peels: [{ id: 'web-01', state: 'accepted' }] });
  });

  it('exits with 143 and the same line on SIGTERM, and with 130 when the terminal has no more input', async () => {
    const asked = await onTerminal('peel', 'revoke', 'web-01');
    asked.kill('SIGTERM');
    const killed = await asked.ended();
    expect([killed.code, plain(killed.after)]).toEqual([143, INTERRUPTED]);
    const left = await onTerminal('peel', 'revoke', 'web-01');
    left.type('\u0004');
    const closed = await left.ended();
    expect([closed.code, plain(closed.after)]).toEqual([130, INTERRUPTED]);
  });

  it('changes nothing when the answer is no', async () => {
    const terminal = await onTerminal('peel', 'revoke', 'web-01');
    terminal.type('n\r');
    const { code, after } = await terminal.ended();
    expect(code).toBe(1);
    expect(plain(after)).toContain('zester: not confirmed: nothing was changed [ERR_EXPECTATION]');
  });
});

import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import {
  ConnectError,
  CredsError,
  FileError,
  JwtChainError,
  NatsServerError,
  PeelIdError,
  UsageError,
} from '../../src/errors.js';
import { errorLine } from '../../src/cli/terminal/error-line.js';
import { exitCodeOf } from '../../src/cli/terminal/exit-codes.js';
import { processIo } from '../../src/cli/terminal/io.js';
import { createProgram } from '../../src/cli/program.js';
import { packageVersion } from '../../src/protocol/package-version.js';
import { generateKeyBundle } from '../../src/nkeys/key-bundle.js';
import { zester } from './run-zester.js';

/** Every command of the tree, by its words. */
function allCommands(command: Command, words: string[] = []): string[][] {
  return [words, ...command.commands.flatMap((sub) => allCommands(sub, [...words, sub.name()]))];
}

const commands = allCommands(await createProgram(processIo()));

describe('every command', () => {
  it.each(commands.map((words) => [words.join(' ') || '(zester itself)', words] as const))(
    '%s has a help with examples or commands, on standard output',
    async (_name, words) => {
      const { code, stdout, stderr } = await zester([...words, '--help']);

      expect(code).toBe(0);
      expect(stderr).toBe('');
      expect(stdout).toMatch(/^Usage: zester/);
      expect(stdout).toMatch(/\n(Examples|Commands):\n/);
    },
  );

  it.each(commands.map((words) => [words.join(' ') || '(zester itself)', words] as const))(
    '%s refuses an unknown option with exit code 2 and one line',
    async (_name, words) => {
      const { code, stdout, stderr } = await zester([...words, '--no-such-option']);

      expect(code).toBe(2);
      expect(stdout).toBe('');
      expect(stderr).toMatch(/^zester: [^\n]+ \[ERR_USAGE\]\n$/);
    },
  );
});

describe('a command that is loaded alone', () => {
  it.each([
    ['creds', 'inspect'],
    ['creds', 'verify'],
  ])('%s %s has the help that it has in the whole tree', async (noun, verb) => {
    const helpIn = (program: Command) =>
      program.commands
        .find((command) => command.name() === noun)
        ?.commands.find((command) => command.name() === verb)
        ?.helpInformation();
    const alone = await createProgram(processIo(), [noun, verb, 'file']);

    expect(allCommands(alone)).toEqual([[], [noun], [noun, verb]]);
    expect(helpIn(alone)).toBe(helpIn(await createProgram(processIo())));
  });

  it.each([[['creds']], [['creds', 'inspekt']], [['--help', 'creds', 'inspect']], [[]]])(
    'does not apply to %j, which needs the whole tree',
    async (args) => {
      expect(allCommands(await createProgram(processIo(), args))).toEqual(commands);
    },
  );
});

describe('zester', () => {
  it.each(['--version', '-V'])('%s prints the version of the package', async (option) => {
    expect(await zester([option])).toEqual({ code: 0, stdout: `${packageVersion()}\n`, stderr: '' });
  });

  it.each([[[]], [['keys']], [['creds']]])(
    'without a whole command (%j) prints the help to standard error and exits with 2',
    async (args) => {
      const { code, stdout, stderr } = await zester(args);

      expect(code).toBe(2);
      expect(stdout).toBe('');
      expect(stderr).toMatch(/^Usage: zester/);
    },
  );

  it('suggests a command for an unknown one', async () => {
    const { code, stderr } = await zester(['creds', 'inspekt']);

    expect(code).toBe(2);
    expect(stderr).toBe("zester: unknown command 'inspekt' (Did you mean inspect?) [ERR_USAGE]\n");
  });

  it('suggests an option for an unknown one', async () => {
    const { code, stderr } = await zester(['peel', 'list', '--columms', 'id']);

    expect(code).toBe(2);
    expect(stderr).toBe("zester: unknown option '--columms' (Did you mean --columns?) [ERR_USAGE]\n");
  });

  it('writes an error as one JSON document in one line with --json', async () => {
    const { stderr } = await zester(['creds', 'inspect', '/nowhere/x.creds', '--json']);

    expect(stderr.trim()).not.toContain('\n');
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'ERR_FILE_NOT_FOUND' } });
  });

  it('prints the stack below the line with --debug', async () => {
    const { stderr } = await zester(['creds', 'inspect', '/nowhere/x.creds', '--debug']);

    expect(stderr.split('\n')[0]).toMatch(/^zester: .* \[ERR_FILE_NOT_FOUND\]$/);
    expect(stderr).toContain('caused by: Error: ENOENT');
  });
});

describe('exit codes', () => {
  const named = (name: string) => Object.assign(new Error('no'), { name });
  it.each([
    [1, 'a failure of the system', new FileError('ERR_FILE_NOT_FOUND', 'x', 'x')],
    [1, 'no nats-server', new NatsServerError('ERR_NATS_SERVER_NOT_FOUND', 'x')],
    [1, 'a torn file', new CredsError('ERR_CREDS_FORMAT', 'x', 'x')],
    [1, 'an error of our own', new TypeError('x')],
    [1, 'what is no error', 'x'],
    [2, 'wrong usage', new UsageError('x')],
    [2, 'a peel id that is none', new PeelIdError('x')],
    [3, 'a chain that breaks', new JwtChainError('user', 'ERR_CHAIN_USER_ISSUER', 'x')],
    [3, 'an expired credential', new CredsError('ERR_CREDS_EXPIRED', 'x', 'x')],
    [3, 'a refusal by the server', new ConnectError('ERR_CONNECT_REFUSED', 'x')],
    [3, 'a refusal by the server, as the client says it', named('AuthorizationError')],
    [4, 'a server that is not reached', new ConnectError('ERR_CONNECT_UNREACHABLE', 'x')],
    [4, 'a server that is not reached, as the client says it', named('ConnectionError')],
    [4, 'a refused connection', Object.assign(new Error('x'), { code: 'ECONNREFUSED' })],
  ])('%d for %s', (code, _what, error) => {
    expect(exitCodeOf(error)).toBe(code);
  });
});

describe('an error line', () => {
  const seed = Buffer.from(generateKeyBundle('account').seed).toString();

  it('never contains a seed, not even in its causes', () => {
    const error = new Error(`cannot use ${seed}`, { cause: new Error(`near ${seed}`) });
    for (const json of [false, true]) {
      expect(errorLine(error, { json, debug: true })).not.toContain(seed);
    }
  });

  it('is one line for any message', () => {
    expect(errorLine(new Error('a\n  b\u001b[1m\rc'), { json: false, debug: false })).toBe(
      'zester: a b\\u001b[1m\\u000dc\n',
    );
  });
});

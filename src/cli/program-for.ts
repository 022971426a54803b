import type { Command } from 'commander';
import type { CliIo } from './io.js';
import { rootCommand } from './root.js';

/**
 * Commands that scripts run very often, each with what registers it. The files of the others are not read for them: that
 * would be half of the time that they take.
 */
const OFTEN: Readonly<Record<string, () => Promise<(parent: Command, io: CliIo) => void>>> = {
  'creds inspect': async () => (await import('./commands/creds-inspect.js')).registerCredsInspect,
  'creds verify': async () => (await import('./commands/creds-verify.js')).registerCredsVerify,
};

/** The options that may stand before a command. */
const GLOBAL_OPTIONS: readonly string[] = ['--json', '-q', '--quiet', '--wide', '--debug'];

/** The command tree for these arguments: all of it, or no more than the one command that they name. */
export async function programFor(args: readonly string[], io: CliIo): Promise<Command> {
  const words = args.slice(args.findIndex((arg) => !GLOBAL_OPTIONS.includes(arg)));
  const [noun = '', verb = ''] = words;
  const register = await OFTEN[`${noun} ${verb}`]?.();
  if (register === undefined) return await (await import('./program.js')).createProgram(io, words);
  const program = rootCommand(io);
  register(program.command(noun), io);
  return program;
}

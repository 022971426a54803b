/** The program for one command line: of the whole tree, only what the line names. */
import type { Command } from 'commander';
import { addCommands } from './command/program.js';
import { loadCommands } from './command/tree.js';
import type { CliIo } from './io.js';
import { rootCommand } from './root.js';

/** The options that may stand before a command. */
const GLOBAL_OPTIONS: readonly string[] = ['--json', '-q', '--quiet', '--wide', '--debug'];

/**
 * The command tree for these arguments: no more than the command that they name, else all of it. The files of the others are
 * not read: that would be half of the time that a short command takes.
 */
export async function programFor(args: readonly string[], io: CliIo): Promise<Command> {
  const words = args.slice(args.findIndex((arg) => !GLOBAL_OPTIONS.includes(arg)));
  const nodes = await loadCommands(words);
  if (nodes.length > 1) return await (await import('./program.js')).createProgram(io);
  const program = rootCommand(io);
  addCommands(program, nodes, io);
  return program;
}

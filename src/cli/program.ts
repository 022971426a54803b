// Builds the program with all commands.
import type { Command } from 'commander';
import { addCommands } from './command/program.js';
import { loadCommands } from './command/tree.js';
import type { CliIo } from './terminal/io.js';
import { rootCommand } from './root.js';

/**
 * The command tree.
 *
 * @param words of the command line: if they name a command, only that one is loaded
 */
export async function createProgram(io: CliIo, words: readonly string[] = []): Promise<Command> {
  const program = rootCommand(io);
  addCommands(program, await loadCommands(words), io);
  return program;
}

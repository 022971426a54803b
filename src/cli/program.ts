// Builds the program with all commands.
import type { Command } from 'commander';
import { addCommands } from './command/program.js';
import { loadCommands } from './command/tree.js';
import type { CliIo } from './terminal/io.js';
import { rootCommand } from './root.js';

/**
 * The command tree.
 *
 * @param words of the command line: where they name a command, the others are not loaded
 */
export async function createProgram(io: CliIo, words: readonly string[] = []): Promise<Command> {
  const program = rootCommand(io);
  addCommands(program, await loadCommands(words), io);
  return program;
}

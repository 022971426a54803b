// Runs one command line, and turns an error into one line and an exit code.
import { CommanderError } from 'commander';
import { InterruptedError, UsageError } from '../errors.js';
import { GLOBAL_OPTIONS } from './command/global-options.js';
import { errorLine } from './terminal/error-line.js';
import { EXIT, exitCodeOf } from './terminal/exit-codes.js';
import type { CliIo } from './terminal/io.js';
import { createProgram } from './program.js';

/** Signal numbers, for the exit code that shells expect after a signal: 128 plus the number. */
const SIGNAL_NUMBER = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;

/**
 * Runs one command line.
 *
 * @param args the arguments after the program's name
 * @returns the exit code; errors are written to `io.stderr` in one line, never thrown
 */
export async function runCli(args: readonly string[], io: CliIo): Promise<number> {
  try {
    await (await createProgram(io, wordsOf(args))).parseAsync([...args], { from: 'user' }).catch((error) => {
      if (!(error instanceof CommanderError) || error.exitCode !== 0) throw error; // --help, --version
    });
    await io.stdout.flush?.();
    return EXIT.done;
  } catch (error) {
    // a noun without a verb: commander has already printed the help to standard error
    if (error instanceof CommanderError && error.code === 'commander.help') return EXIT.usage;
    const shown = error instanceof CommanderError ? usageErrorOf(error) : error;
    // the parser may not have reached these options
    const options = { json: args.includes('--json'), debug: args.includes('--debug') };
    io.stderr.write(errorLine(shown, options));
    return error instanceof InterruptedError ? 128 + SIGNAL_NUMBER[error.signal] : exitCodeOf(shown);
  }
}

/** Prints the `--version --json` document. @returns the exit code */
export async function printVersionInfo(io: CliIo): Promise<number> {
  const { versionInfo } = await import('./version-info.js');
  try {
    io.stdout.write(`${JSON.stringify(versionInfo())}\n`);
    await io.stdout.flush?.();
    return EXIT.done;
  } catch (error) {
    io.stderr.write(errorLine(error, { json: true, debug: false }));
    return exitCodeOf(error);
  }
}

/** The command words: after the options that may precede them. */
function wordsOf(args: readonly string[]): readonly string[] {
  const options = new Set(GLOBAL_OPTIONS.flatMap(([flags]) => flags.split(', ')));
  return args.slice(args.findIndex((arg) => !options.has(arg)));
}

function usageErrorOf(error: CommanderError): UsageError {
  return new UsageError(error.message.replace(/^error: /, ''), { cause: error });
}

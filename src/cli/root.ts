// The root command: global options, help settings and error handling.
import { Command, Help } from 'commander';
import { printableLines } from '../text/printable.js';
import { GLOBAL_OPTIONS, HELP_OPTION } from './command/global-options.js';
import type { CliIo } from './terminal/io.js';
import { packageVersion } from '../protocol/package-version.js';

/** The program without its commands. */
export function rootCommand(io: CliIo): Command {
  const program = new Command('zester')
    .description('Manage the credentials of a fleet over NATS. See docs/cli.md, or "man zester".')
    .version(packageVersion(), '-V, --version', 'print the version')
    .helpOption(...HELP_OPTION)
    .helpCommand(false)
    .configureHelp({
      showGlobalOptions: true,
      sortSubcommands: false,
      // a declaration's text has the default and the choices
      subcommandTerm: (command) => command.name(),
      optionDescription: ({ description }) => description,
      argumentDescription: ({ description }) => description,
      visibleGlobalOptions: (command) =>
        new Help().visibleGlobalOptions(command).filter(({ long }) => long !== '--version'),
    })
    .configureOutput({
      writeOut: (text) => io.stdout.write(printableLines(text)),
      writeErr: (text) => io.stderr.write(printableLines(text)),
      outputError: () => undefined, // run.ts prints errors in a uniform format
      getOutHelpWidth: () => HELP_WIDTH,
      getErrHelpWidth: () => HELP_WIDTH,
    })
    .exitOverride()
    .addHelpText('after', HELP_END);
  for (const [flags, about] of GLOBAL_OPTIONS) program.option(flags, about);
  return program;
}

/**
 * Columns of the help. Fixed at the narrowest supported terminal, so that the help is the same in a pipe and in a test.
 */
export const HELP_WIDTH = 80;

const HELP_END = `
Examples:
  $ zester up                      a whole fleet on this machine
Exit codes: 0 done, 1 failed, 2 usage, 3 refused, 4 no server, 130 interrupted.`;

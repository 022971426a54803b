import type { Command } from 'commander';
import { confirm } from '../confirm.js';
import { homeOf, withHomeOption, type HomeOptions } from '../home-options.js';
import type { CliIo } from '../io.js';
import { Output, table, type GlobalOptions } from '../output.js';

interface Options extends GlobalOptions, HomeOptions {
  yes?: boolean;
}

/** `zester keys export-identity`: takes the identity seeds offline. */
export function registerKeysExportIdentity(parent: Command, io: CliIo): void {
  withHomeOption(parent.command('export-identity'))
    .description("take the operator's and the account's identity seeds out of the home, to be kept offline")
    .argument('<dir>', 'the directory to put them into; made (0700) if it is not there')
    .option('-y, --yes', 'do not ask')
    .addHelpText(
      'after',
      `
Everything but "zester init", adding and removing signing keys of the operator, and renewing the master and the admin works
without them. To use them again, put them back into keys/ for the time of the command.

Examples:
  $ zester keys export-identity /media/safe/zester`,
    )
    .action(async (directory: string, _options, command: Command) => {
      const options = command.optsWithGlobals<Options>();
      const output = new Output(io, options);
      await confirm(io, `this moves the identity seeds to ${directory}`, options.yes);
      const { exportIdentity } = await import('../../trust/export-identity.js');
      const exported = await exportIdentity(homeOf(options, io), directory);
      output.result(
        table(exported.map(({ role, publicKey, to }): [string, string] => [role, `${publicKey}  ${to}`])),
        { exported },
      );
      output.note(
        'make a second copy of them, and keep both offline: without them the trust domain cannot be renewed',
      );
    });
}

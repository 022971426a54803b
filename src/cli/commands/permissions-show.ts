import type { Command } from 'commander';
import { homeOf, withHomeOption, type HomeOptions } from '../home-options.js';
import type { CliIo } from '../io.js';
import { Output, type GlobalOptions } from '../output.js';
import { permissionLines } from '../permission-lines.js';

type Options = GlobalOptions & HomeOptions;

/** `zester permissions show`. */
export function registerPermissionsShow(parent: Command, io: CliIo): void {
  withHomeOption(parent.command('show'))
    .description('show what every peel may do: the template of the scoped signing key')
    .addHelpText(
      'after',
      '\nExamples:\n  $ zester permissions show\n  $ zester permissions show --json > template.json',
    )
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals<Options>();
      const { peelTemplate } = await import('../../nats-server/permissions.js');
      const { role, signingKeys, permissions } = await peelTemplate(homeOf(options, io));
      new Output(io, options).result([`${role}  ${signingKeys.join(' ')}`, ...permissionLines(permissions)], {
        role,
        signingKeys,
        permissions,
      });
    });
}

import type { Command } from 'commander';
import { homeOf, withHomeOption, type HomeOptions } from '../home-options.js';
import type { CliIo } from '../io.js';
import { Output, type GlobalOptions } from '../output.js';
import { timeWords } from '../time-words.js';

type Options = GlobalOptions & HomeOptions;

/** `zester keys list`. */
export function registerKeysList(parent: Command, io: CliIo): void {
  withHomeOption(parent.command('list'))
    .description("list a trust domain's keys: role, what each signed, its age, where its seed is")
    .addHelpText('after', '\nExamples:\n  $ zester keys list\n  $ zester keys list --json')
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals<Options>();
      const { openTrustDomain } = await import('../../trust/open.js');
      const { listKeys } = await import('../../trust/key-list.js');
      const keys = await listKeys(await openTrustDomain(homeOf(options, io)));
      new Output(io, options).result(
        keys.flatMap(({ role, publicKey, current, signed, since, seedPath }) => [
          `${publicKey}  ${role}${current || !role.endsWith('signing') ? '' : ' (not in use for new ones)'}`,
          `  signed ${signed.join(', ') || 'nothing here'}; since ${timeWords(Date.parse(since), io.now())}; ` +
            (seedPath === undefined ? 'its seed is not in the home' : `its seed is in ${seedPath}`),
        ]),
        { keys: keys.map(({ seedPath, ...key }) => ({ ...key, seedPath: seedPath ?? null })) },
      );
    });
}

import type { Command } from 'commander';
import { asAdmin, withAdminOptions, type AdminOptions } from '../fleet/admin.js';
import { tokenDocument } from '../fleet/token-document.js';
import type { CliIo } from '../io.js';
import { Output, type GlobalOptions } from '../output.js';

type Options = GlobalOptions & AdminOptions;

/** `zester join-token remove`. */
export function registerJoinTokenRemove(parent: Command, io: CliIo): void {
  withAdminOptions(parent.command('remove'))
    .description('take a join token back: nobody joins with it any more; who did, stays')
    .argument('<token>', 'its id, as "zester join-token list" shows it')
    .addHelpText('after', '\nExamples:\n  $ zester join-token remove 3hK2p9Qx1LbY')
    .action(async (tokenId: string, _options, command: Command) => {
      const options = command.optsWithGlobals<Options>();
      const output = new Output(io, options);
      const { token } = await asAdmin(options, io, ({ client }) => client.ask('token.remove', { tokenId }));
      output.result([`removed the join token ${token.id}`], tokenDocument(token, io.now()));
    });
}

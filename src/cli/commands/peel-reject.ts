import type { Command } from 'commander';
import { confirm } from '../confirm.js';
import { asAdmin, withAdminOptions, type AdminOptions } from '../fleet/admin.js';
import { decideOnEach } from '../fleet/decide-on-each.js';
import { peelDocument } from '../fleet/peel-document.js';
import type { CliIo } from '../io.js';
import { Output, type GlobalOptions } from '../output.js';

interface Options extends GlobalOptions, AdminOptions {
  reason?: string;
  yes?: boolean;
}

/** `zester peel reject`: does not let a peel in. */
export function registerPeelReject(parent: Command, io: CliIo): void {
  withAdminOptions(parent.command('reject'))
    .description('reject peels: they get no credentials, and those that they have are revoked')
    .argument('<peelId...>', 'their ids')
    .option('--reason <text>', 'kept with the decision, and told to the peel')
    .option('-y, --yes', 'do not ask')
    .addHelpText(
      'after',
      `
A rejected id can ask again with a new key, and waits again.

Examples:
  $ zester peel reject web-99
  $ zester peel reject web-98 web-99 --reason 'not ours' --yes`,
    )
    .action(async (ids: string[], _options, command: Command) => {
      const options = command.optsWithGlobals<Options>();
      const output = new Output(io, options);
      const { reason, yes } = options;
      await asAdmin(options, io, async ({ client }) => {
        if (yes !== true) {
          for (const peelId of ids) {
            const { record, presence } = await client.ask('peel.show', { peelId, events: 0 });
            const { state, fingerprint, connected } = peelDocument(record, presence);
            output.note(
              `${peelId}: ${state}, key ${fingerprint ?? '(none)'}${connected ? ', connected' : ''}`,
            );
          }
        }
        await confirm(io, `this locks out ${ids.join(', ')}`, yes);
        await decideOnEach(ids, output, 'rejected', async (peelId) => {
          const { record } = await client.ask('peel.reject', { peelId, ...(reason && { reason }) });
          return record;
        });
      });
    });
}

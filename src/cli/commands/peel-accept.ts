import type { Command } from 'commander';
import { FleetError, UsageError } from '../../errors.js';
import { asAdmin, withAdminOptions, type AdminOptions } from '../fleet/admin.js';
import { decideOnEach } from '../fleet/decide-on-each.js';
import { peelDocument } from '../fleet/peel-document.js';
import type { CliIo } from '../io.js';
import { Output, type GlobalOptions } from '../output.js';

interface Options extends GlobalOptions, AdminOptions {
  reason?: string;
  fingerprint?: string;
}

/** `zester peel accept`: lets a peel in that waits. */
export function registerPeelAccept(parent: Command, io: CliIo): void {
  withAdminOptions(parent.command('accept'))
    .description('accept peels that wait for it')
    .argument('<peelId...>', 'their ids')
    .option(
      '--fingerprint <text>',
      'only if its key has this fingerprint, which the peel shows (with one id)',
    )
    .option('--reason <text>', 'kept with the decision')
    .addHelpText(
      'after',
      `
"zester peel list --state pending" shows who waits, with the fingerprints of their keys; a peel that joins shows its own.
They must be the same: who else could have sent it?

Examples:
  $ zester peel accept web-01 --fingerprint 5b1f-09aa-3cd2-8841-77e0
  $ zester peel accept web-01 web-02 --reason 'rack 7'`,
    )
    .action(async (ids: string[], _options, command: Command) => {
      const options = command.optsWithGlobals<Options>();
      const output = new Output(io, options);
      const { reason, fingerprint: wanted } = options;
      if (wanted !== undefined && ids.length > 1) throw new UsageError('--fingerprint goes with one id');
      await asAdmin(options, io, ({ client }) =>
        decideOnEach(ids, output, 'accepted', async (peelId) => {
          if (wanted !== undefined) {
            const { record } = await client.ask('peel.show', { peelId, events: 0 });
            const { fingerprint } = peelDocument(record);
            if (fingerprint !== wanted.trim().toLowerCase()) {
              throw new FleetError(
                'ERR_FLEET_PROOF',
                `the key of "${peelId}" has the fingerprint ${fingerprint ?? '(none)'}, not that: it was not accepted`,
                { peelId },
              );
            }
          }
          const { record } = await client.ask('peel.accept', { peelId, ...(reason && { reason }) });
          return record;
        }),
      );
    });
}

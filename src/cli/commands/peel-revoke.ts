import type { Command } from 'commander';
import { confirm } from '../confirm.js';
import { asAdmin, withAdminOptions, type AdminOptions } from '../fleet/admin.js';
import { peelDocument } from '../fleet/peel-document.js';
import type { CliIo } from '../io.js';
import { Output, table, type GlobalOptions } from '../output.js';

interface Options extends GlobalOptions, AdminOptions {
  key?: string;
  reason?: string;
  yes?: boolean;
}

/** `zester peel revoke`: ends a peel, through the masters. */
export function registerPeelRevoke(parent: Command, io: CliIo): void {
  withAdminOptions(parent.command('revoke'))
    .description('revoke a peel: its connections are cut, and every server refuses its keys from then on')
    .argument('<peelId>', 'its id')
    .option('--key <key>', 'only this key of it (U…)')
    .option('--reason <text>', 'kept with the decision, and told to the peel')
    .option('-y, --yes', 'do not ask')
    .addHelpText(
      'after',
      `
Done (0) means that every server has confirmed. Where one did not in time it ends with 4: the decision stands, and the
masters go on until all have. A revoked id comes back only with a new key that is accepted again. Without a master,
"zester revoke" does it from the home.

Examples:
  $ zester peel revoke web-01 --reason 'stolen laptop'
  $ zester peel revoke web-01 --key UA… --yes`,
    )
    .action(async (peelId: string, _options, command: Command) => {
      const options = command.optsWithGlobals<Options>();
      const output = new Output(io, options);
      const { key, reason, yes } = options;
      (await import('../../permissions/peel-id.js')).validatePeelId(peelId);
      await asAdmin(options, io, async ({ client }) => {
        await confirm(
          io,
          `this locks out ${key === undefined ? peelId : `the key ${key} of ${peelId}`}`,
          yes,
        );
        const { record, revoked } = await client.ask(
          'peel.revoke',
          {
            peelId,
            ...(reason !== undefined && { reason }),
            ...(key !== undefined && { publicKey: key }),
          },
          { timeoutMs: 20_000 },
        );
        output.result(
          [
            key === undefined ? `revoked ${peelId}` : `revoked a key of ${peelId}`,
            ...table([
              ['state', record.state],
              ['keys', revoked.length === 0 ? 'it had none that could connect' : revoked],
            ]),
          ],
          { ...peelDocument(record), revoked },
        );
      });
    });
}

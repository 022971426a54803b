import type { Command } from 'commander';
import { setTimeout as delay } from 'node:timers/promises';
import { FleetError } from '../../errors.js';
import type { AdminClient } from '../../fleet/ask.js';
import { confirm } from '../confirm.js';
import { asAdmin, withAdminOptions, type AdminOptions } from '../fleet/admin.js';
import type { CliIo } from '../io.js';
import { Output, type GlobalOptions } from '../output.js';

interface Options extends GlobalOptions, AdminOptions {
  reason?: string;
  yes?: boolean;
}

/** `zester master resume`: what the masters hold is revoked after all. */
export function registerMasterResume(parent: Command, io: CliIo): void {
  withAdminOptions(parent.command('resume'))
    .description('let the masters revoke the healthy peels that they hold')
    .option('--reason <text>', 'kept in the audit')
    .option('-y, --yes', 'do not ask')
    .addHelpText(
      'after',
      `
Masters that are about to revoke more than a few healthy peels by themselves (by default more than 3 and more than
2 % within a minute: "zester master --max-revocations --max-revocations-share") revoke none: more likely something is wrong with what they were told. They say so in their log, the audit,
"zester doctor" and "zester peel list". Where the cause is gone, they go on by themselves. This command says that they
are right: every peel that they hold is revoked, for good.

Examples:
  $ zester audit --kind 'revocations.*'
  $ zester master resume --reason 'the signing key was stolen'`,
    )
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals<Options>();
      const output = new Output(io, options);
      const { reason, yes } = options;
      await asAdmin(options, io, async ({ client }) => {
        const { held } = await client.ask('status', {});
        if (held !== undefined) await confirm(io, `this revokes ${held.peels} peels for good`, yes);
        const { resumed } = await client.ask('master.resume', { ...(reason !== undefined && { reason }) });
        if (resumed !== undefined) await whenTaken(client);
        output.result(
          [
            resumed === undefined
              ? 'nothing is held'
              : `the masters revoke the ${resumed.peels} peels they held`,
          ],
          { resumed: resumed ?? null },
        );
      });
    });
}

/** How long the master that watches may take to go on, in milliseconds. */
const TAKEN_MS = 30_000;
const LOOK_MS = 300;

/** Waits until nothing is held any more: the order is stored before it is carried out. */
async function whenTaken(client: AdminClient): Promise<void> {
  const deadline = Date.now() + TAKEN_MS;
  for (;;) {
    const { held } = await client.ask('status', {});
    if (held === undefined) return;
    if (Date.now() >= deadline) {
      throw new FleetError(
        'ERR_FLEET_UNCONFIRMED',
        `the order is stored, and ${held.peels} peels are still held after ${TAKEN_MS / 1000} s: see "zester doctor"`,
      );
    }
    await delay(LOOK_MS);
  }
}

import type { Command } from 'commander';
import {
  changeOptions,
  pushedLine,
  withChangeOptions,
  type AccountChangeOptions,
} from '../change-options.js';
import { confirm } from '../confirm.js';
import { homeOf } from '../home-options.js';
import type { CliIo } from '../io.js';
import { Output, type GlobalOptions } from '../output.js';

interface Options extends GlobalOptions, AccountChangeOptions {
  yes?: boolean;
}

/** `zester keys remove`: the second half of a rotation. */
export function registerKeysRemove(parent: Command, io: CliIo): void {
  withChangeOptions(parent.command('remove'))
    .description('take a signing key away, and delete its seed: the second half of a rotation')
    .argument(
      '<publicKey>',
      "the operator's signing key (O…), or the peels' or the join tokens' (A…); not one in use",
    )
    .option('-y, --yes', 'do not ask')
    .addHelpText(
      'after',
      `
With a signing key of peels or of join tokens, whoever it signed is cut off at once. With an operator's (its identity seed is needed), the
servers trust it until they have the new operator JWT.

Examples:
  $ zester keys remove AABC…
  $ zester keys remove OABC… --yes`,
    )
    .action(async (publicKey: string, _options, command: Command) => {
      const options = command.optsWithGlobals<Options>();
      const output = new Output(io, options);
      const keys = await import('../../nats-server/rotate-keys.js');
      if (publicKey.startsWith('O')) {
        await confirm(
          io,
          `this takes ${publicKey} away from the operator, and deletes its seed`,
          options.yes,
        );
        await keys.removeOperatorSigningKey(homeOf(options, io), publicKey, { now: io.now });
        output.result([`removed ${publicKey}`], { publicKey, servers: null });
        output.note(
          'next: give the servers the new operator JWT; until then they trust the key that was removed',
        );
        return;
      }
      const { home, ...rest } = await changeOptions(options, io, output);
      await confirm(io, `this cuts off whoever ${publicKey} signed, and deletes its seed`, options.yes);
      const { requireComplete } = await import('../../nats-server/push-account.js');
      const { report } = await keys.removeAccountSigningKey(home, publicKey, rest);
      output.result([`removed ${publicKey}; ${pushedLine(report)}`], { publicKey, servers: report ?? null });
      if (report !== undefined) requireComplete(report, 'the account without the key');
    });
}

import type { Command } from 'commander';
import {
  changeOptions,
  pushedLine,
  withChangeOptions,
  type AccountChangeOptions,
} from '../change-options.js';
import { homeOf } from '../home-options.js';
import type { CliIo } from '../io.js';
import { Output, type GlobalOptions } from '../output.js';
import { SIGNED } from '../signing-kinds.js';

type Options = GlobalOptions & AccountChangeOptions;

/** `zester keys use`: lets another signing key sign from now on. */
export function registerKeysUse(parent: Command, io: CliIo): void {
  withChangeOptions(parent.command('use'))
    .description('let a signing key that was added sign from now on')
    .argument('<publicKey>', "the operator's signing key (O…), or the peels' or the join tokens' (A…)")
    .addHelpText(
      'after',
      `
With an operator's signing key, both accounts are signed anew and pushed; it is refused while a server does not know the
key, or is down.

Examples:
  $ zester keys use OABC…`,
    )
    .action(async (publicKey: string, _options, command: Command) => {
      const options = command.optsWithGlobals<Options>();
      const output = new Output(io, options);
      const keys = await import('../../nats-server/rotate-keys.js');
      if (!publicKey.startsWith('O')) {
        const kind = await keys.useAccountSigningKey(homeOf(options, io), publicKey);
        output.result([`new ${SIGNED[kind]} are signed by ${publicKey}`], { publicKey, servers: null });
        return;
      }
      const { home, ...rest } = await changeOptions(options, io, output);
      const { requireComplete } = await import('../../nats-server/push-account.js');
      const { report } = await keys.useOperatorSigningKey(home, publicKey, rest);
      output.result([`the accounts are signed by ${publicKey}; ${pushedLine(report)}`], {
        publicKey,
        servers: report ?? null,
      });
      if (report !== undefined) requireComplete(report, 'the account');
    });
}

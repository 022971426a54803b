import type { Command } from 'commander';
import { pushedLine, systemOptions, withSystemOptions, type SystemOptions } from '../change-options.js';
import type { CliIo } from '../io.js';
import { Output, type GlobalOptions } from '../output.js';

type Options = GlobalOptions & SystemOptions;

/** `zester account push`: the home's account to every server. */
export function registerAccountPush(parent: Command, io: CliIo): void {
  withSystemOptions(parent.command('push'))
    .description("push the account's JWT to every server, each confirming by its name")
    .addHelpText(
      'after',
      `
Where the servers hold a newer one (another home or a master changed it), the home takes that one over first.
Ends with 4 and names the servers that did not confirm.

Examples:
  $ zester account push
  $ zester account push --servers nats://n1:4222 nats://n2:4222 nats://n3:4222`,
    )
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals<Options>();
      const output = new Output(io, options);
      const { home, ...rest } = await systemOptions(options, io, output);
      const { pushAccount } = await import('../../nats-server/account.js');
      const { requireComplete } = await import('../../nats-server/push-account.js');
      const { report, tookOver } = await pushAccount(home, rest);
      output.result(
        [...(tookOver ? ["the servers had a newer one, which is now the home's"] : []), pushedLine(report)],
        { ...report, tookOver },
      );
      requireComplete(report, 'the account');
    });
}

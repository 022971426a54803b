import type { Command } from 'commander';
import { pushedLine, systemOptions, withSystemOptions, type SystemOptions } from '../change-options.js';
import { confirm } from '../confirm.js';
import type { CliIo } from '../io.js';
import { Output, type GlobalOptions } from '../output.js';

type Options = GlobalOptions & SystemOptions & { acceptRemovals?: boolean; yes?: boolean };

/** `zester account push`: the home's account to every server. */
export function registerAccountPush(parent: Command, io: CliIo): void {
  withSystemOptions(parent.command('push'))
    .description("push the account's JWT to every server, each confirming by its name")
    .option(
      '--accept-removals',
      'do not restore revocations and signing keys that the newest account JWT lacks; they are listed first',
    )
    .option('-y, --yes', 'with it: do not ask')
    .addHelpText(
      'after',
      `
Where the servers hold a newer one (another home or a master changed it), the home takes that one over first. Revocations and
signing keys that it lost, because another tool signed an older state of the account, are restored. A running master restores
them by itself within seconds: to take them away, use "zester keys remove" and "zester revocations clear". The JWT that is
replaced is kept in jwt/replaced/ of the home.
Ends with 4 and names the servers that did not confirm.

Examples:
  $ zester account push
  $ zester account push --servers nats://n1:4222 nats://n2:4222 nats://n3:4222`,
    )
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals<Options>();
      const output = new Output(io, options);
      const { home, ...rest } = await systemOptions(options, io, output);
      const { pushAccount, showAccount } = await import('../../nats-server/account.js');
      const { requireComplete } = await import('../../nats-server/push-account.js');
      const acceptRemovals = options.acceptRemovals === true;
      if (acceptRemovals) {
        const { lossWords } = await import('../../trust/merge-account.js');
        const lost = lossWords((await showAccount(home, rest)).lost);
        for (const line of lost) output.warn(`this gives up the ${line}`);
        if (lost.length > 0) {
          await confirm(io, 'what is listed above is taken out of the account for good', options.yes);
        }
      }
      const { report, tookOver, restored } = await pushAccount(home, { ...rest, acceptRemovals });
      output.result(
        [...(tookOver ? ["the servers had a newer one, which is now the home's"] : []), pushedLine(report)],
        { ...report, tookOver, restored },
      );
      requireComplete(report, 'the account');
    });
}

import type { Command } from 'commander';
import { changeOptions, withChangeOptions, type AccountChangeOptions } from '../change-options.js';
import type { CliIo } from '../io.js';
import { Output, table, type GlobalOptions } from '../output.js';

type Options = GlobalOptions & AccountChangeOptions;

/** `zester revocations list`. */
export function registerRevocationsList(parent: Command, io: CliIo): void {
  withChangeOptions(parent.command('list'))
    .description('list the revocations, the newest first, as the newest of home and servers has them')
    .addHelpText(
      'after',
      "\nExamples:\n  $ zester revocations list\n  $ zester revocations list --no-push   the home's, without a server",
    )
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals<Options>();
      const output = new Output(io, options);
      const { home, ...rest } = await changeOptions(options, io, output);
      const { listRevocations } = await import('../../nats-server/revoke.js');
      const all = await listRevocations(home, rest);
      const { issuedUpTo } = await import('../issued-up-to.js');
      output.result(
        all.length === 0
          ? ['nothing is revoked']
          : table(
              all.map(({ publicKey, upTo, peelId }): [string, string] => [
                publicKey === '*' ? 'everyone' : publicKey,
                `${whenOf(issuedUpTo(upTo))}${peelId === undefined ? '' : `  ${peelId}`}`,
              ]),
            ),
        {
          revocations: all.map(({ publicKey, upTo, peelId }) => ({
            publicKey,
            issuedUpTo: issuedUpTo(upTo) ?? null,
            peelId: peelId ?? null,
          })),
        },
      );
    });
}

function whenOf(time: string | undefined): string {
  return time === undefined ? 'for good' : `issued up to ${time}`;
}

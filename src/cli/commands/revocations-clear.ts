import type { Command } from 'commander';
import { UsageError } from '../../errors.js';
import type { ClearTarget } from '../../nats-server/revoke.js';
import {
  changeOptions,
  pushedLine,
  withChangeOptions,
  type AccountChangeOptions,
} from '../change-options.js';
import { confirm } from '../confirm.js';
import { parsePast, PAST_FORM } from '../duration.js';
import type { CliIo } from '../io.js';
import { Output, type GlobalOptions } from '../output.js';

interface Options extends GlobalOptions, AccountChangeOptions {
  key?: string[];
  before?: string;
  all?: boolean;
  yes?: boolean;
}

/** `zester revocations clear`. */
export function registerRevocationsClear(parent: Command, io: CliIo): void {
  withChangeOptions(parent.command('clear'))
    .description('take revocations back: what they held for may connect again, unless it has expired')
    .argument('[peelId]', 'those of this peel')
    .option('--key <key...>', 'those of these public keys (U…, or * for everyone)')
    .option(
      '--before <time>',
      `those of before: ${PAST_FORM}; safe when every credential of then has expired`,
    )
    .option('--all', 'all of them')
    .option('-y, --yes', 'do not ask')
    .addHelpText(
      'after',
      '\nExamples:\n  $ zester revocations clear web-server-01\n  $ zester revocations clear --before 30d --yes',
    )
    .action(async (peelId: string | undefined, _options, command: Command) => {
      const options = command.optsWithGlobals<Options>();
      const output = new Output(io, options);
      const target = targetOf(peelId, options, io);
      const { home, ...rest } = await changeOptions(options, io, output);
      await confirm(io, 'what these revocations hold for may connect again', options.yes);
      const { clearRevocations } = await import('../../nats-server/revoke.js');
      const { requireComplete } = await import('../../nats-server/push-account.js');
      const { cleared, report } = await clearRevocations(home, target, rest);
      output.result(
        [
          `cleared ${cleared.length} ${cleared.length === 1 ? 'revocation' : 'revocations'}; ${pushedLine(report)}`,
        ],
        { cleared: cleared.map(({ publicKey }) => publicKey), servers: report ?? null },
      );
      if (report !== undefined) requireComplete(report, 'the account without them');
    });
}

function targetOf(peelId: string | undefined, options: Options, io: CliIo): ClearTarget {
  const { key, before, all } = options;
  if ([peelId, key, before, all].filter((given) => given !== undefined).length !== 1) {
    throw new UsageError('say which revocations: a peel id, --key, --before or --all (one of them)');
  }
  if (key !== undefined) return { publicKeys: key };
  if (before !== undefined) return { before: parsePast(before, io.now()) };
  return all === true ? { all } : { peelId: peelId ?? '' };
}

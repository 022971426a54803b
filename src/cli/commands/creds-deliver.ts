import type { Command } from 'commander';
import type { PeelRow } from '../../creds/bulk/rows.js';
import { UsageError } from '../../errors.js';
import {
  issueListed,
  PROGRAM_DEFAULTS,
  programLimits,
  withListOptions,
  type ListOptions,
  type ProgramOptions,
} from '../bulk/issue-listed.js';
import type { CliIo } from '../io.js';
import { Output } from '../output.js';

interface Options extends ListOptions, ProgramOptions {
  ssh?: boolean;
  path: string;
}

/** `zester creds deliver --ssh`: new credentials for a list of peels, each written to its host. */
export function registerCredsDeliver(parent: Command, io: CliIo): void {
  withListOptions(parent.command('deliver'))
    .description('make credentials for a list of peels and write each to its host, over ssh')
    .option('--ssh', 'by ssh (the one way there is now)')
    .requiredOption('--path <file>', 'the file on the host, absolute; {id} stands for the id of the peel')
    .option('--parallel <n>', 'hosts at once', PROGRAM_DEFAULTS.parallel)
    .option('--retries <n>', 'times that a failed one is tried again', PROGRAM_DEFAULTS.retries)
    .option('--timeout <seconds>', 'how long one may take', PROGRAM_DEFAULTS.timeout)
    .option('--resume', 'go on after an interrupted run, with its --journal')
    .option('--journal <file>', 'note the peels that have theirs, for --resume')
    .argument('[ssh-arguments...]', 'more arguments of ssh, after --')
    .addHelpText('after', HELP)
    .action(async (words: string[], _options, command: Command) => {
      await deliver(words, command.optsWithGlobals<Options>(), io);
    });
}

const HELP = `
The host is that of the list's column "host" (a CSV's, or NDJSON's), else the id itself. On the host the file is replaced
in one step: a new file beside it, mode 0600, all of it there, synced, renamed. Its directory must be there, and its
owner is the user of the ssh connection. ssh asks nothing (BatchMode): keys and known hosts must be set up.

Examples:
  $ zester creds deliver --ssh --from hosts.csv --path /etc/zester/peel.creds --expiry 30d
  $ zester creds deliver --ssh --from hosts.csv --path /etc/zester/{id}.creds --journal done.txt -- -l root -p 2222
  $ zester creds deliver --ssh --from hosts.csv --path /etc/zester/{id}.creds --journal done.txt --resume -- -l root`;

async function deliver(words: readonly string[], options: Options, io: CliIo): Promise<void> {
  const output = new Output(io, options);
  const { path, resume = false } = options;
  if (options.ssh !== true) throw new UsageError('say how: --ssh');
  if (resume && options.journal === undefined) {
    throw new UsageError('--resume needs the --journal of the interrupted run');
  }
  const exec = programLimits(options);
  const { isHost, sshSink } = await import('../../creds/sinks/ssh.js');
  const { eachDelivery } = await import('../../creds/sinks/each.js');
  const how = {
    delivery: async (signal: AbortSignal, rows: ReadonlyMap<string, PeelRow>) => {
      const hostOf = (peelId: string) => rows.get(peelId)?.host ?? peelId;
      return eachDelivery(
        sshSink({ ...exec, path, sshArguments: words, hostOf, env: io.env, signal }),
        signal,
      );
    },
    checkRow: ({ host }: PeelRow) =>
      host === undefined || isHost(host) ? undefined : 'its host is no name or address of one',
    show: (result: object, summary: string) => output.result([summary], { path, ...result }),
  };
  await issueListed(options, how, io, output);
}

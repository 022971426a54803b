import { Option, type Command } from 'commander';
import type { RowFormat } from '../../creds/bulk/rows.js';
import { UsageError } from '../../errors.js';
import { issuerOf, wholeNumber, withIssuerOptions, type IssuerOptions } from '../bulk/issuer-options.js';
import type { CliIo } from '../io.js';
import { Output, type GlobalOptions } from '../output.js';

interface Options extends GlobalOptions, IssuerOptions {
  ssh?: boolean;
  from: string;
  format?: RowFormat;
  path: string;
  parallel: string;
  retries: string;
  timeout: string;
  resume?: boolean;
  journal?: string;
}

/** `zester creds deliver --ssh`: new credentials for a list of peels, each written to its host. */
export function registerCredsDeliver(parent: Command, io: CliIo): void {
  withIssuerOptions(parent.command('deliver'))
    .description('make credentials for a list of peels and write each to its host, over ssh')
    .option('--ssh', 'by ssh (the one way there is now)')
    .requiredOption('--from <list>', 'the peels: a .txt, .csv or .ndjson file, or - for standard input')
    .addOption(
      new Option('--format <format>', 'of the list, when its name does not say it').choices([
        'txt',
        'csv',
        'ndjson',
      ]),
    )
    .requiredOption('--path <file>', 'the file on the host, absolute; {id} stands for the id of the peel')
    .option('--parallel <n>', 'hosts at once', '8')
    .option('--retries <n>', 'times that a failed one is tried again', '2')
    .option('--timeout <seconds>', 'how long one may take', '60')
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
  const exec = {
    parallel: wholeNumber('--parallel', options.parallel, 1, 1000),
    retries: wholeNumber('--retries', options.retries, 0, 100),
    timeoutMs: wholeNumber('--timeout', options.timeout, 1, 86_400) * 1000,
  };
  const { openInput } = await import('../bulk/input.js');
  const { requireComplete, runBulk, summary } = await import('../bulk/run-bulk.js');
  const { isHost, sshSink } = await import('../../creds/sinks/ssh.js');
  const { Journal } = await import('../../creds/bulk/journal.js');
  const issuer = await issuerOf(options, io);
  try {
    const input = await openInput(options.from, options.format);
    const journal = options.journal === undefined ? undefined : await Journal.open(options.journal, resume);
    const result = await runBulk(
      {
        input,
        issue: issuer.issue,
        sink: async (signal, rows) =>
          sshSink({
            ...exec,
            path,
            sshArguments: words,
            hostOf: (peelId) => rows.get(peelId)?.host ?? peelId,
            env: io.env,
            signal,
          }),
        checkRow: ({ host }) =>
          host === undefined || isHost(host) ? undefined : 'its host is no name or address of one',
        resume,
        journal,
      },
      io,
      output,
    );
    output.result([summary(result)], { path, ...result });
    requireComplete(
      result,
      journal === undefined
        ? 'correct them and do it again for those alone'
        : 'correct them and do it again with --resume: what is done is passed over',
    );
  } finally {
    issuer.close();
  }
}

import { Option, type Command } from 'commander';
import type { Journal } from '../../creds/bulk/journal.js';
import type { RowFormat } from '../../creds/bulk/rows.js';
import type { CredentialSink } from '../../creds/sinks/sink.js';
import type { ByteTarget } from '../../creds/sinks/target.js';
import { UsageError } from '../../errors.js';
import { issuerOf, wholeNumber, withIssuerOptions, type IssuerOptions } from '../bulk/issuer-options.js';
import type { CliIo } from '../io.js';
import { Output, type GlobalOptions } from '../output.js';

const SINKS = ['dir', 'ndjson', 'age', 'kubernetes', 'tar', 'exec'] as const;
type SinkName = (typeof SINKS)[number];

interface Options extends GlobalOptions, IssuerOptions {
  from: string;
  format?: RowFormat;
  sink: SinkName;
  out?: string;
  recipient?: string[];
  namespace?: string;
  parallel?: string;
  retries?: string;
  timeout?: string;
  resume?: boolean;
  journal?: string;
  force?: boolean;
}

/** `zester creds issue`: credentials for a list of peels, into files or into a secrets pipeline. */
export function registerCredsIssue(parent: Command, io: CliIo): void {
  withIssuerOptions(parent.command('issue'))
    .description('make credentials for a list of peels, into files or into a secrets pipeline')
    .requiredOption('--from <list>', 'the peels: a .txt, .csv or .ndjson file, or - for standard input')
    .addOption(
      new Option('--format <format>', 'of the list, when its name does not say it').choices([
        'txt',
        'csv',
        'ndjson',
      ]),
    )
    .addOption(new Option('--sink <sink>', 'where they go').choices(SINKS).default('dir'))
    .option(
      '-o, --out <path>',
      'dir, age: the directory (default: .); tar, ndjson, kubernetes: the file, or -',
    )
    .option('-r, --recipient <key...>', 'age: encrypt to this recipient (age1…)')
    .option('--namespace <name>', 'kubernetes: the namespace of the Secrets')
    .option('--parallel <n>', 'exec: programs at once (default: 8)')
    .option('--retries <n>', 'exec: times that a failed one is run again (default: 2)')
    .option('--timeout <seconds>', 'exec: how long one may take (default: 60)')
    .option('--resume', 'go on after an interrupted run')
    .option('--journal <file>', 'ndjson, kubernetes, exec: note what is delivered, for --resume')
    .option('--force', 'replace files that are there; write secrets to a terminal')
    .argument('[command...]', 'exec: the program and its arguments, after --')
    .addHelpText('after', HELP)
    .action(async (words: string[], _options, command: Command) => {
      await issue(words, command.optsWithGlobals<Options>(), io);
    });
}

const HELP = `
The list: txt has one id a line (# begins a comment); csv has a first line that names the columns, one of them "id";
ndjson has {"id": "…"} or "…" a line. A bad line is told by its number, the others go on, and the exit code is 1.

Interrupted at any point, --resume goes on: dir and age look at what is in the directory; ndjson, kubernetes and exec
need the --journal of the first run. A tar is whole or not there, and is made again.

exec runs one program a credential: the .creds file on its standard input, $ZESTER_PEEL_ID and $ZESTER_PUBLIC_KEY in its
environment. What it ends with says whether that peel has its credential.

Examples:
  $ zester creds issue --from peels.txt --out /etc/zester/peels --expiry 30d
  $ zester creds issue --from peels.txt --out /etc/zester/peels --resume
  $ zester creds issue --from peels.csv --sink age -r age1… --out encrypted
  $ zester creds issue --from - --sink kubernetes --namespace fleet < peels.txt | kubectl apply -f -
  $ zester creds issue --from peels.txt --sink tar --out - | age -r age1… > peels.tar.age
  $ zester creds issue --from peels.txt --sink exec --journal done.txt -- \\
      sh -c 'vault kv put "secret/zester/$ZESTER_PEEL_ID" creds=-'`;

async function issue(words: readonly string[], options: Options, io: CliIo): Promise<void> {
  const output = new Output(io, options);
  checkUsage(words, options, io);
  const { openInput } = await import('../bulk/input.js');
  const { runBulk, requireComplete, summary } = await import('../bulk/run-bulk.js');
  const issuer = await issuerOf(options, io);
  try {
    const input = await openInput(options.from, options.format);
    const journal = await openJournal(options);
    const result = await runBulk(
      {
        input,
        issue: issuer.issue,
        sink: (signal) => openSink(words, options, io, signal),
        resume: options.resume === true,
        journal,
      },
      io,
      output,
    );
    const { sink } = options;
    const toStdout = isStream(sink) && (options.out ?? '-') === '-';
    if (toStdout) output.note(summary(result));
    else output.result([summary(result)], { sink, ...result });
    requireComplete(result, howToGoOn(options));
  } finally {
    issuer.close();
  }
}

/** Sinks that write one stream of bytes. */
function isStream(sink: SinkName): sink is 'ndjson' | 'kubernetes' | 'tar' {
  return sink === 'ndjson' || sink === 'kubernetes' || sink === 'tar';
}

function checkUsage(words: readonly string[], options: Options, io: CliIo): void {
  const { sink, resume, journal, recipient, out, force } = options;
  const need = (ok: boolean, message: string) => {
    if (!ok) throw new UsageError(message);
  };
  need(sink === 'exec' || words.length === 0, `a command goes with --sink exec, not with --sink ${sink}`);
  need(sink !== 'exec' || words.length > 0, '--sink exec needs a command: --sink exec -- CMD…');
  need(sink !== 'exec' || out === undefined, '--out goes with a sink that writes files, not with exec');
  need(sink !== 'age' || recipient !== undefined, '--sink age needs a recipient: -r age1…');
  need(sink === 'age' || recipient === undefined, '--recipient goes with --sink age');
  need(sink === 'kubernetes' || options.namespace === undefined, '--namespace goes with --sink kubernetes');
  need(sink !== 'tar' || out !== undefined, '--sink tar needs --out FILE, or --out - for standard output');
  const forExec = [options.parallel, options.retries, options.timeout].some((value) => value !== undefined);
  need(sink === 'exec' || !forExec, '--parallel, --retries and --timeout go with --sink exec');
  const looks = sink === 'dir' || sink === 'age';
  need(!looks || journal === undefined, `--sink ${sink} needs no --journal: --resume looks at the files`);
  if (isStream(sink)) {
    const file = (out ?? '-') !== '-';
    const whole = sink === 'tar' || file;
    need(
      !whole || (resume !== true && journal === undefined),
      'a file of all credentials is whole or not there: make it again, without --resume and --journal',
    );
    need(
      file || !io.stdout.isTTY || force === true,
      'this would write secrets to the terminal: send standard output elsewhere, or give --force',
    );
  }
  need(
    looks || resume !== true || journal !== undefined,
    `--resume with --sink ${sink} needs the --journal of the interrupted run`,
  );
}

async function openJournal({ journal, resume }: Options): Promise<Journal | undefined> {
  if (journal === undefined) return undefined;
  const { Journal } = await import('../../creds/bulk/journal.js');
  return Journal.open(journal, resume === true);
}

async function openSink(
  words: readonly string[],
  options: Options,
  io: CliIo,
  signal: AbortSignal,
): Promise<CredentialSink> {
  const { out, sink, namespace } = options;
  const replace = options.force === true;
  switch (sink) {
    case 'dir':
      return (await import('../../creds/sinks/directory.js')).directorySink(out ?? '.', { replace });
    case 'age': {
      const { ageSink } = await import('../../creds/sinks/age.js');
      return ageSink(out ?? '.', options.recipient ?? [], { replace });
    }
    case 'ndjson':
      return (await import('../../creds/sinks/ndjson.js')).ndjsonSink(await targetOf(options, io));
    case 'kubernetes': {
      const { kubernetesSink } = await import('../../creds/sinks/kubernetes.js');
      return kubernetesSink(await targetOf(options, io), { ...(namespace !== undefined && { namespace }) });
    }
    case 'tar':
      return (await import('../../creds/sinks/tar.js')).tarSink(await targetOf(options, io), io.now);
    case 'exec':
      return (await import('../../creds/sinks/exec.js')).execSink({
        commandOf: () => words,
        parallel: wholeNumber('--parallel', options.parallel ?? '8', 1, 1000),
        retries: wholeNumber('--retries', options.retries ?? '2', 0, 100),
        timeoutMs: wholeNumber('--timeout', options.timeout ?? '60', 1, 86_400) * 1000,
        env: io.env,
        signal,
      });
  }
}

async function targetOf({ out = '-', force }: Options, io: CliIo): Promise<ByteTarget> {
  if (out === '-') {
    const { stdout } = io;
    const write = async (bytes: Uint8Array) => {
      if (stdout.send !== undefined) await stdout.send(bytes);
      else stdout.write(Buffer.from(bytes).toString('latin1'));
    };
    return { write, finish: async () => undefined, abort: async () => undefined };
  }
  const { refuseToReplace } = await import('../new-file.js');
  await refuseToReplace(out, force);
  return (await import('../../creds/sinks/target.js')).fileTarget(out);
}

function howToGoOn({ sink, journal }: Options): string {
  if (sink === 'dir' || sink === 'age' || journal !== undefined) {
    return 'correct them and do it again with --resume: what is done is passed over';
  }
  return 'correct them and do it again for those alone';
}

import { Option, type Command } from 'commander';
import type { Delivery } from '../../creds/bulk/delivery.js';
import type { ByteTarget } from '../../creds/sinks/target.js';
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

const SINKS = ['dir', 'ndjson', 'age', 'kubernetes', 'tar', 'exec'] as const;
type SinkName = (typeof SINKS)[number];

interface Options extends ListOptions, ProgramOptions {
  sink: SinkName;
  out?: string;
  recipient?: string[];
  namespace?: string;
  force?: boolean;
}

/** `zester creds issue`: credentials for a list of peels, into files or into a secrets pipeline. */
export function registerCredsIssue(parent: Command, io: CliIo): void {
  withListOptions(parent.command('issue'))
    .description('make credentials for a list of peels, into files or into a secrets pipeline')
    .addOption(new Option('--sink <sink>', 'where they go').choices(SINKS).default('dir'))
    .option(
      '-o, --out <path>',
      'dir, age: the directory, made (0700) where it is not there (default: .); tar, ndjson, kubernetes: the file, or -',
    )
    .option('-r, --recipient <key...>', 'age: encrypt to this recipient (age1…)')
    .option('--namespace <name>', 'kubernetes: the namespace of the Secrets')
    .option('--parallel <n>', `exec: programs at once (default: ${PROGRAM_DEFAULTS.parallel})`)
    .option(
      '--retries <n>',
      `exec: times that a failed one is run again (default: ${PROGRAM_DEFAULTS.retries})`,
    )
    .option('--timeout <seconds>', `exec: how long one may take (default: ${PROGRAM_DEFAULTS.timeout})`)
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
The list: txt has one id a line; csv has a first line that names the columns, one of them "id". In both, # at the start of a
line begins a comment, in txt after white space too (web-01  # rack 3). ndjson has {"id": "…"} or "…" a line. A bad line is told by its number, the others go on, and the exit code is 1.

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
  const { sink, out = '-' } = options;
  const how = {
    delivery: (signal: AbortSignal) => openDelivery(words, options, io, signal),
    show: (result: object, summary: string) => {
      if (isStream(sink) && out === '-') output.note(summary);
      else output.result([summary], { sink, ...result });
    },
    looks: looksAtFiles(sink),
  };
  await issueListed(options, how, io, output);
}

/** Sinks that see by themselves what is there. */
function looksAtFiles(sink: SinkName): boolean {
  return sink === 'dir' || sink === 'age';
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
  const looks = looksAtFiles(sink);
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

async function openDelivery(
  words: readonly string[],
  options: Options,
  io: CliIo,
  signal: AbortSignal,
): Promise<Delivery> {
  const { out, sink, namespace } = options;
  const replace = options.force === true;
  if (looksAtFiles(sink) && out !== undefined) {
    // its credentials are for their owner only, and so is it, where it was not there
    await (await import('../ensure-directory.js')).ensureDirectory(out);
  }
  switch (sink) {
    case 'dir':
      return (await import('../../creds/sinks/directory.js')).directoryDelivery(out ?? '.', { replace });
    case 'age': {
      const { ageDelivery } = await import('../../creds/sinks/age.js');
      return ageDelivery(out ?? '.', options.recipient ?? [], { replace });
    }
    case 'ndjson':
    case 'kubernetes': {
      const { documentsDelivery } = await import('../../creds/sinks/documents.js');
      const target = await targetOf(options, io);
      if (sink === 'ndjson') return documentsDelivery({ kind: 'documents', format: sink }, target);
      const inNamespace = namespace === undefined ? {} : { namespace };
      return documentsDelivery({ kind: 'documents', format: sink, ...inNamespace }, target);
    }
    case 'tar': {
      const { eachDelivery } = await import('../../creds/sinks/each.js');
      const { tarSink } = await import('../../creds/sinks/tar.js');
      return eachDelivery(tarSink(await targetOf(options, io), io.now), signal);
    }
    case 'exec': {
      const { eachDelivery } = await import('../../creds/sinks/each.js');
      const { execSink } = await import('../../creds/sinks/exec.js');
      const exec = { ...programLimits(options), commandOf: () => words, env: io.env, signal };
      return eachDelivery(execSink(exec), signal);
    }
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

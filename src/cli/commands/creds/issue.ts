// `zester creds issue`: issue credentials for a list of peels.
import type { Delivery } from '../../../provision/delivery.js';
import type { ByteTarget } from '../../../files/byte-target.js';
import { SINKS, type SinkName } from '../../../provision/sinks/sink-kinds.js';
import { UsageError } from '../../../errors.js';
import { issueListed, LIST_OPTIONS, PROGRAM_OPTIONS, programLimits } from '../../bulk/issue-listed.js';
import { command } from '../../command/declaration.js';
import { choice, flag, grouped, list, text, words, type ValuesOf } from '../../command/option.js';
import type { CliIo } from '../../terminal/io.js';

const OPTIONS = {
  sink: choice('--sink <sink>', 'destination', Object.keys(SINKS) as SinkName[], 'dir'),
  out: text('-o, --out <path>', 'output directory (default: .) or file; - = standard output'),
  recipient: list('-r, --recipient <key...>', 'age: encrypt to these recipients (age1…)'),
  namespace: text('--namespace <name>', 'kubernetes: namespace of the Secrets'),
  force: flag('--force', 'replace existing files; write secrets to a terminal'),
  ...LIST_OPTIONS,
  ...grouped('Options of --sink exec', PROGRAM_OPTIONS),
};
type Values = ValuesOf<typeof OPTIONS>;

export default command({
  summary: 'issue credentials for a list of peels',
  keepsKeys: true,
  needs: 'home',
  arguments: { program: words('exec: the program and its arguments, after --') },
  options: OPTIONS,
  notes: 'docs/bulk.md describes the lists, the sinks, and how an interrupted run is resumed.',
  examples: [
    'zester creds issue --from peels.txt --out /etc/zester/peels --expiry 30d',
    'zester creds issue --from peels.csv --sink age -r age1… --out encrypted',
    'zester creds issue --from peels.txt --sink kubernetes --out - | kubectl apply -f -',
    `zester creds issue --from peels.txt --sink exec --journal done.txt -- \\
      sh -c 'vault kv put "secret/zester/$ZESTER_PEEL_ID" creds=-'`,
  ],
  async run(input, context) {
    const { io, output } = context;
    checkUsage(input.program, input, io);
    const { sink, out = '-' } = input;
    const how = {
      delivery: (signal: AbortSignal) => openDelivery(input.program, input, io, signal),
      show: (result: object, summary: string) => {
        if (isStream(sink) && out === '-') output.note(summary);
        else output.result([summary], { sink, ...result });
      },
      looks: SINKS[sink] === 'files',
      allOrNothing: isStream(sink) && out !== '-',
    };
    await issueListed(input, how, context);
  },
});

function isStream(sink: SinkName): boolean {
  return SINKS[sink] === 'stream' || SINKS[sink] === 'archive';
}

function checkUsage(words: readonly string[], options: Values, io: CliIo): void {
  const { sink, resume, journal, recipient, out, force } = options;
  const need = (ok: boolean, message: string) => {
    if (!ok) throw new UsageError(message);
  };
  need(
    sink === 'exec' || words.length === 0,
    `a program can be given with --sink exec only, not with --sink ${sink}`,
  );
  need(sink !== 'exec' || words.length > 0, '--sink exec needs a program: --sink exec -- CMD…');
  need(sink !== 'exec' || out === undefined, '--out needs a sink that writes files, not exec');
  need(sink !== 'age' || recipient !== undefined, '--sink age needs a recipient: -r age1…');
  need(sink === 'age' || recipient === undefined, '--recipient needs --sink age');
  need(sink === 'kubernetes' || options.namespace === undefined, '--namespace needs --sink kubernetes');
  need(sink !== 'tar' || out !== undefined, '--sink tar needs --out FILE, or --out - for standard output');
  const forExec = [options.parallel, options.retries, options.timeout].some((value) => value !== undefined);
  need(sink === 'exec' || !forExec, '--parallel, --retries and --timeout need --sink exec');
  const looks = SINKS[sink] === 'files';
  need(
    !looks || journal === undefined,
    `--sink ${sink} does not use --journal: --resume checks the files themselves`,
  );
  if (isStream(sink)) {
    const file = (out ?? '-') !== '-';
    need(
      (SINKS[sink] === 'stream' && !file) || (!resume && journal === undefined),
      'a single output file is complete or absent: run it again without --resume and --journal',
    );
    need(
      file || !io.stdout.isTTY || force,
      'this would print secrets on the terminal: redirect standard output, or pass --force',
    );
  }
  need(
    looks || !resume || journal !== undefined,
    `--resume with --sink ${sink} needs the --journal of the interrupted run`,
  );
}

async function openDelivery(
  words: readonly string[],
  options: Values,
  io: CliIo,
  signal: AbortSignal,
): Promise<Delivery> {
  const { out, sink, namespace } = options;
  const replace = options.force;
  if (SINKS[sink] === 'files' && out !== undefined) {
    // create the directory for its owner only, like the credentials in it
    await (await import('../../options/ensure-directory.js')).ensureDirectory(out);
  }
  switch (sink) {
    case 'dir':
      return (await import('../../../provision/sinks/directory.js')).directoryDelivery(out ?? '.', {
        replace,
      });
    case 'age': {
      const { ageDelivery } = await import('../../../provision/sinks/age.js');
      return ageDelivery(out ?? '.', options.recipient ?? [], { replace });
    }
    case 'ndjson':
    case 'kubernetes': {
      const { documentsDelivery } = await import('../../../provision/sinks/documents.js');
      const target = await targetOf(options, io);
      if (sink === 'ndjson') return documentsDelivery({ kind: 'documents', format: sink }, target);
      const inNamespace = namespace === undefined ? {} : { namespace };
      return documentsDelivery({ kind: 'documents', format: sink, ...inNamespace }, target);
    }
    case 'tar': {
      const { eachDelivery } = await import('../../../provision/sinks/each.js');
      const { tarSink } = await import('../../../provision/sinks/tar.js');
      return eachDelivery(tarSink(await targetOf(options, io), io.now), signal);
    }
    case 'exec': {
      const { eachDelivery } = await import('../../../provision/sinks/each.js');
      const { execSink } = await import('../../../provision/sinks/exec.js');
      const exec = { ...programLimits(options), commandOf: () => words, env: io.env, signal };
      return eachDelivery(execSink(exec), signal);
    }
  }
}

async function targetOf({ out = '-', force }: Values, io: CliIo): Promise<ByteTarget> {
  if (out === '-') {
    const { stdout } = io;
    const write = async (bytes: Uint8Array) => {
      if (stdout.send !== undefined) await stdout.send(bytes);
      else stdout.write(Buffer.from(bytes).toString('latin1'));
    };
    return { write, finish: async () => undefined, abort: async () => undefined };
  }
  const { refuseToReplace } = await import('../../options/new-file.js');
  await refuseToReplace(out, force);
  return (await import('../../../files/byte-target.js')).fileTarget(out);
}

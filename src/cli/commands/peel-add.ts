import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Option, type Command } from 'commander';
import type { RowFormat } from '../../creds/bulk/rows.js';
import { FindingsError, InterruptedError, UsageError, type ZesterError } from '../../errors.js';
import { fingerprint } from '../../fleet/fingerprint.js';
import { columns, count } from '../columns.js';
import { EXPIRY_FORM, parseExpiry, parseSpan } from '../duration.js';
import { exitCodeOf } from '../exit-codes.js';
import type { addAll, AddedPeel, PeelIssuer } from '../fleet/add-peels.js';
import { asAdmin, withAdminOptions, type AdminOptions } from '../fleet/admin.js';
import { isoOf } from '../fleet/peel-document.js';
import { connectionOf, homeOf, type ConnectionOf } from '../home-options.js';
import type { CliIo } from '../io.js';
import { Output, type GlobalOptions } from '../output.js';
import { timeWords } from '../time-words.js';

interface Options extends GlobalOptions, AdminOptions {
  out?: string;
  from?: string;
  format?: RowFormat;
  expiry?: string;
  replace?: boolean;
  offline?: boolean;
  run?: boolean;
  wait?: string;
}

/** Seconds that what is issued offline is good, as what a master issues by default. */
const OFFLINE_EXPIRY = 86_400;
/** Requests at once: a master answers them one by one, and the network is the longest part. */
const AT_ONCE = 16;

/** `zester peel add`: credentials for new peels, known to the masters. */
export function registerPeelAdd(parent: Command, io: CliIo): void {
  withAdminOptions(parent.command('add'))
    .description('add peels: a key made here, a JWT from a master, a .creds file each (mode 0600)')
    .argument('[peelId...]', 'their ids, one NATS token each: letters, digits, _ and -')
    .option('-o, --out <path>', 'the directory for <peelId>.creds, or for one id the file (default: .)')
    .option('--from <list>', 'ids from a .txt, .csv or .ndjson file, or - for standard input')
    .addOption(
      new Option('--format <format>', 'of the list, when its name does not say it').choices([
        'txt',
        'csv',
        'ndjson',
      ]),
    )
    .option('--expiry <time>', `how long it is valid: ${EXPIRY_FORM}, none (default: the master's lifetime)`)
    .option('--replace', 'of an id that is known: a new key in place of the one it has, which is revoked')
    .option(
      '--offline',
      'from the home alone (24h by default); the masters hear of it when the peel connects',
    )
    .option('--run', 'with one id: go on as "zester peel run" with the file')
    .option('--wait <time>', 'wait so long for the servers and a master to be there')
    .addHelpText(
      'after',
      `
The peel renews its credential by itself from then on. The seed stands in the file and nowhere else: it is neither sent
nor kept. An id that the masters know already is refused (3), unless --replace.

Examples:
  $ zester peel add web-01
  $ zester peel add web-01 --out /etc/zester/web-01.creds
  $ zester peel add --from peels.csv --out /srv/creds
  $ zester peel add web-01 --run                     this host is the peel`,
    )
    .action(async (ids: string[], _options, command: Command) => {
      await add(ids, command.optsWithGlobals<Options>(), io);
    });
}

async function add(given: readonly string[], options: Options, io: CliIo): Promise<void> {
  const output = new Output(io, options);
  const { from, offline = false, run = false, replace = false } = options;
  if (given.length > 0 === (from !== undefined))
    throw new UsageError('say which peels: their ids, or --from');
  if (run && given.length !== 1)
    throw new UsageError('--run goes with one id: this process becomes that peel');
  const { validatePeelId } = await import('../../permissions/peel-id.js');
  const ids = from === undefined ? given.map(validatePeelId) : await idsFrom(from, options.format);
  if (new Set(ids).size !== ids.length) throw new UsageError('an id is given twice');
  const expiry = options.expiry === 'none' ? 0 : options.expiry && parseExpiry(options.expiry, io.now());
  const waitMs = options.wait === undefined ? 0 : parseSpan('--wait', options.wait);
  const targets = await targetsOf(ids, options.out, from !== undefined);
  const adding = await import('../fleet/add-peels.js');
  const chosen = { replace, expiry: typeof expiry === 'number' ? expiry : undefined };
  let connection: ConnectionOf = { servers: [] };
  const issueAll = (issue: PeelIssuer, atOnce: number) =>
    addEach(targets, issue, atOnce, adding.addAll, output, io);
  if (offline) {
    const { openTrustDomain } = await import('../../trust/open.js');
    const domain = await openTrustDomain(homeOf(options, io));
    connection = connectionOf(options, io, domain);
    await issueAll(
      adding.issuerOffline(domain, { ...chosen, expiry: chosen.expiry ?? OFFLINE_EXPIRY }, io),
      1,
    );
  } else {
    await asAdmin(
      options,
      io,
      async (admin) => {
        connection = admin.connection;
        await issueAll(adding.issuerThrough(admin.client, chosen), AT_ONCE);
      },
      waitMs,
    );
  }
  const [target] = targets;
  if (!run || target === undefined) return;
  const { runPeel } = await import('./peel-run.js');
  await runPeel({ creds: target.path, connection, id: target.id }, output, io);
}

async function addEach(
  targets: readonly { id: string; path: string }[],
  issue: PeelIssuer,
  atOnce: number,
  all: typeof addAll,
  output: Output,
  io: CliIo,
): Promise<void> {
  const { Progress } = await import('../bulk/progress.js');
  const progress = new Progress(io, output.quiet);
  const added: AddedPeel[] = [];
  const failed: { id: string; error: ZesterError }[] = [];
  const interruption = new AbortController();
  let interruptedBy: InterruptedError['signal'] | undefined;
  const stopListening = io.onInterrupt((signal) => {
    interruptedBy ??= signal;
    interruption.abort();
  });
  const tell = () => {
    progress.done = added.length;
    progress.share = (added.length + failed.length) / targets.length;
    progress.tell();
  };
  try {
    await all(targets, issue, atOnce, interruption.signal, {
      added: (peel) => {
        added.push(peel);
        tell();
      },
      failed: (id, error) => {
        // of one it is the error that the command ends with
        if (targets.length === 1) throw error;
        failed.push({ id, error });
        progress.clear();
        output.warn(`${id}: ${error.message} [${error.code}]`);
        tell();
      },
    });
  } finally {
    stopListening();
    progress.clear();
  }
  report(added, failed, output, io);
  if (interruptedBy !== undefined) {
    throw new InterruptedError(interruptedBy, `interrupted after ${added.length} of ${targets.length}`);
  }
  if (failed.length === 0) return;
  const codes = new Set(failed.map(({ error }) => exitCodeOf(error)));
  const [code = 1] = codes;
  throw new FindingsError(
    `${failed.length} of ${targets.length} were not added; each is named above`,
    codes.size === 1 ? code : 1,
  );
}

function report(
  added: readonly AddedPeel[],
  failed: readonly { id: string; error: ZesterError }[],
  output: Output,
  io: CliIo,
): void {
  const now = io.now();
  output.result(
    added.length === 0
      ? []
      : columns(
          ['ID', 'FILE', 'EXPIRES', 'FINGERPRINT'],
          added.map(({ id, path, publicKey, expiresAt }) => [
            id,
            path,
            expiresAt === undefined ? 'never' : timeWords(expiresAt * 1000, now),
            fingerprint(publicKey),
          ]),
        ),
    {
      peels: [
        ...added.map(({ id, path, publicKey, expiresAt }) => ({
          id,
          path,
          publicKey,
          fingerprint: fingerprint(publicKey),
          expiresAt: isoOf(expiresAt),
        })),
        ...failed.map(({ id, error }) => ({ id, error: { code: error.code, message: error.message } })),
      ],
    },
  );
  if (added.length > 0)
    output.note(`${count(added.length, 'file')} with a seed each (mode 0600): treat them like passwords`);
}

/** Where each goes. Of one id, `--out` is a file unless a directory stands there or it ends with a slash. */
async function targetsOf(
  ids: readonly string[],
  out: string | undefined,
  ofList: boolean,
): Promise<{ id: string; path: string }[]> {
  const [one = ''] = ids;
  if (out !== undefined && ids.length === 1 && !ofList && !out.endsWith('/')) {
    const found = await stat(out).catch(() => undefined);
    if (found?.isDirectory() !== true) return [{ id: one, path: out }];
  }
  return ids.map((id) => ({ id, path: join(out ?? '.', `${id}.creds`) }));
}

/** All ids of a list. A line that names none ends it before anything is done. */
async function idsFrom(from: string, format: RowFormat | undefined): Promise<string[]> {
  const { openInput } = await import('../bulk/input.js');
  const { readRows } = await import('../../creds/bulk/rows.js');
  const input = await openInput(from, format);
  const ids: string[] = [];
  try {
    for await (const row of readRows(input.chunks, input.format)) {
      if ('error' in row) throw new UsageError(`line ${row.line} of ${from}: ${row.error.message}`);
      ids.push(row.peelId);
    }
  } finally {
    input.stop();
  }
  if (ids.length === 0) throw new UsageError(`${from} names no peel`);
  return ids;
}

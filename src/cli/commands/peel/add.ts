// `zester peel add`: add peels: issue a .creds file for each.
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { RowFormat } from '../../../provision/rows.js';
import { FindingsError, InterruptedError, UsageError, type ZesterError } from '../../../errors.js';
import { fingerprint } from '../../../protocol/fingerprint.js';
import { count } from '../../terminal/columns.js';
import { command } from '../../command/declaration.js';
import { choice, flag, lifetimeOrNever, span, text, words } from '../../command/option.js';
import { labelsOption } from '../../options/label-options.js';
import { lifetimeText } from '../../options/duration.js';
import { exitCodeOf } from '../../terminal/exit-codes.js';
import type { addAll, AddedPeel, PeelIssuer, PeelToAdd } from '../../fleet/add-peels.js';
import { isoOf } from '../../fleet/peel-document.js';
import { runPeel } from '../../fleet/run-peel.js';
import type { ConnectionOf } from '../../options/home-options.js';
import type { CliIo } from '../../terminal/io.js';
import type { Output } from '../../terminal/output.js';
import { timeWords } from '../../terminal/time-words.js';
import { DEFAULT_LIFETIME_SECONDS } from '../../../master/default-options.js';

/** Concurrent requests: a master answers them one by one, and network latency dominates. */
const AT_ONCE = 16;

export default command({
  summary: 'add peels: issue a .creds file for each',
  keepsKeys: true,
  needs: 'fleet',
  arguments: { peelId: words('peel IDs, one NATS token each') },
  options: {
    out: text('-o, --out <path>', 'directory for <peelId>.creds, or with one ID the file (default: .)'),
    from: text('--from <list>', 'IDs and labels from a .txt, .csv or .ndjson file, or -'),
    format: choice('--format <format>', 'format of the list', ['txt', 'csv', 'ndjson']),
    expiry: lifetimeOrNever('--expiry <time>', "lifetime, e.g. 7d, or none (default: the master's)"),
    label: labelsOption('label for the peels, e.g. env=prod; repeatable'),
    replace: flag('--replace', 'if the ID exists, issue a new key and revoke the old one'),
    offline: flag(
      '--offline',
      `sign with the home, without a master (lifetime ${lifetimeText(DEFAULT_LIFETIME_SECONDS)})`,
    ),
    run: flag('--run', 'then run the peel, like "zester peel run" (one ID)'),
    wait: span('--wait <time>', 'wait until the servers and a master respond'),
  },
  notes: `
The key is generated here; its seed exists only in the file (mode 0600). The peel then renews its own credential. An ID
that the masters know is refused (exit code 3) unless --replace is given. They learn about a peel added offline when it
connects.`,
  examples: [
    'zester peel add web-01',
    'zester peel add web-01 --out /etc/zester/web-01.creds',
    ['zester peel add --from peels.csv --out /srv/creds', 'columns: id, labels'],
    'zester peel add db-01 --label env=prod --label tier=db',
    ['zester peel add web-01 --run', 'this host is the peel'],
  ],
  async run(input, { io, output, openHome, connection: connectionFor, fleet }) {
    const { peelId: given, out, from, format, expiry, replace, offline, run, wait, label: labels } = input;
    if (given.length > 0 === (from !== undefined))
      throw new UsageError('no peels given: pass their IDs, or --from');
    if (run && given.length !== 1)
      throw new UsageError('--run needs exactly one ID: this process becomes that peel');
    const { validatePeelId } = await import('../../../permissions/peel-id.js');
    const peels =
      from === undefined ? given.map((id) => ({ id: validatePeelId(id) })) : await peelsFrom(from, format);
    if (offline && (labels !== undefined || peels.some((peel) => 'labels' in peel)))
      throw new UsageError('labels need a master, which keeps them: leave out --offline, or the labels');
    if (new Set(peels.map(({ id }) => id)).size !== peels.length)
      throw new UsageError('an ID was given twice');
    const targets = await targetsOf(peels, out, from !== undefined);
    const adding = await import('../../fleet/add-peels.js');
    let connection: ConnectionOf;
    let issue: PeelIssuer;
    if (offline) {
      const domain = await openHome();
      connection = connectionFor(domain);
      issue = adding.issuerOffline(domain, { replace, expiry: expiry ?? DEFAULT_LIFETIME_SECONDS }, io);
    } else {
      const admin = await fleet(wait);
      connection = admin.connection;
      issue = adding.issuerThrough(admin.client, { replace, expiry, labels });
    }
    await addEach(targets, issue, offline ? 1 : AT_ONCE, adding.addAll, output, io);
    const [target] = targets;
    if (run && target !== undefined)
      await runPeel({ creds: target.path, connection, id: target.id }, output, io);
  },
});

async function addEach(
  targets: readonly PeelToAdd[],
  issue: PeelIssuer,
  atOnce: number,
  all: typeof addAll,
  output: Output,
  io: CliIo,
): Promise<void> {
  const { Progress } = await import('../../bulk/progress.js');
  const progress = new Progress(io, output.quiet);
  const added: AddedPeel[] = [];
  const failed: { id: string; error: ZesterError }[] = [];
  const interruption = new AbortController();
  let interruptedBy: InterruptedError['signal'] | undefined;
  const stopListening = io.onInterrupt((signal) => {
    interruptedBy ??= signal;
    interruption.abort();
  });
  const showProgress = () => progress.reach(added.length, (added.length + failed.length) / targets.length);
  let ended: { error: unknown } | undefined;
  try {
    await all(targets, issue, atOnce, interruption.signal, {
      added: (peel) => {
        added.push(peel);
        showProgress();
      },
      failed: (id, error) => {
        // with one peel, the command itself fails with the error
        if (targets.length === 1) throw error;
        failed.push({ id, error });
        progress.clear();
        output.warn(`${id}: ${error.message} [${error.code}]`);
        showProgress();
      },
    });
  } catch (error) {
    if (targets.length === 1) throw error;
    ended = { error };
  } finally {
    stopListening();
    progress.clear();
  }
  const settled = new Set([...added, ...failed].map(({ id }) => id));
  const remaining = targets.map(({ id }) => id).filter((id) => !settled.has(id));
  report({ added, failed, remaining }, output, io);
  if (ended !== undefined) {
    if (remaining.length > 0)
      output.warn(`stopped: ${remaining.length} of ${targets.length} remain; run it again for those`);
    throw ended.error;
  }
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

/** The outcome for each peel. */
interface Outcome {
  added: readonly AddedPeel[];
  failed: readonly { id: string; error: ZesterError }[];
  /** Those that the command did not get to. */
  remaining: readonly string[];
}

function report({ added, failed, remaining }: Outcome, output: Output, io: CliIo): void {
  const now = io.now();
  output.result(
    added.length === 0
      ? []
      : output.columns(added, [
          ['ID', ({ id }) => id],
          ['FILE', ({ path }) => path],
          [
            'EXPIRES',
            ({ expiresAt }) => (expiresAt === undefined ? 'never' : timeWords(expiresAt * 1000, now)),
          ],
          ['FINGERPRINT', ({ publicKey }) => fingerprint(publicKey)],
        ]),
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
      remaining,
    },
  );
  if (added.length > 0)
    output.note(`${count(added.length, 'file')} with a seed each (mode 0600): treat them like passwords`);
}

/** The path of each file. With one ID, `--out` is a file unless it is an existing directory or ends with a slash. */
async function targetsOf(
  peels: readonly Omit<PeelToAdd, 'path'>[],
  out: string | undefined,
  ofList: boolean,
): Promise<PeelToAdd[]> {
  const [one] = peels;
  if (out !== undefined && one !== undefined && peels.length === 1 && !ofList && !out.endsWith('/')) {
    const found = await stat(out).catch(() => undefined);
    if (found?.isDirectory() !== true) return [{ ...one, path: out }];
  }
  return peels.map((peel) => ({ ...peel, path: join(out ?? '.', `${peel.id}.creds`) }));
}

/** All peels of a list. A line that names none ends it before anything is done. */
async function peelsFrom(from: string, format: RowFormat | undefined): Promise<Omit<PeelToAdd, 'path'>[]> {
  const { openInput } = await import('../../bulk/input.js');
  const { readRows } = await import('../../../provision/rows.js');
  const input = await openInput(from, format);
  const peels: Omit<PeelToAdd, 'path'>[] = [];
  try {
    for await (const row of readRows(input.chunks, input.format)) {
      if ('error' in row) throw new UsageError(`line ${row.line} of ${from}: ${row.error.message}`);
      peels.push({ id: row.peelId, ...(row.labels && { labels: row.labels }) });
    }
  } finally {
    input.stop();
  }
  if (peels.length === 0) throw new UsageError(`${from} names no peel`);
  return peels;
}

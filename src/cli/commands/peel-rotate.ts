import type { Command } from 'commander';
import { FindingsError, InterruptedError, UsageError } from '../../errors.js';
import { wholeNumber } from '../command/option.js';
import { count } from '../columns.js';
import { parsePast, parseSpan, PAST_FORM, SPAN_FORM } from '../duration.js';
import { asAdmin, withAdminOptions, type Admin, type AdminOptions } from '../fleet/admin.js';
import type { Campaign } from '../fleet/campaign.js';
import type { RotationResult } from '../fleet/rotate-peels.js';
import type { CliIo } from '../io.js';
import { Output, type GlobalOptions } from '../output.js';

interface Options extends GlobalOptions, AdminOptions {
  all?: boolean;
  again?: boolean;
  limit: string;
  timeout: string;
  since?: string;
  wait?: boolean;
}

/** `zester peel rotate`: new keys. */
export function registerPeelRotate(parent: Command, io: CliIo): void {
  withAdminOptions(parent.command('rotate'))
    .description('have peels replace their keys; none loses its connection or a message by it')
    .argument('[peelId...]', 'their ids')
    .option('--all', 'every active peel')
    .option('--limit <n>', 'how many are told and not done at once', '10')
    .option('--since <time>', `pass over those whose key was issued since then: ${PAST_FORM}`)
    .option('--wait', 'wait until those that were told are done')
    .option('--timeout <time>', `how long one may take before the next has its turn: ${SPAN_FORM}`, '1m')
    .option('--again', 'with --all: begin anew, and do not go on with one that was interrupted')
    .addHelpText(
      'after',
      `
A peel that is connected is told now; one that is not is told when it next renews. A peel makes its new key itself and
signs for it with the old one, which is revoked once the new one is in use.

--all notes which key each peel has when it begins, in $XDG_STATE_HOME/zester (else ~/.local/state/zester). Interrupted,
the same command goes on with those that still have it; done, the note is removed.

Examples:
  $ zester peel rotate web-01 --wait
  $ zester peel rotate --all --limit 50 --wait`,
    )
    .action(async (ids: string[], _options, command: Command) => {
      await rotate(ids, command.optsWithGlobals<Options>(), io);
    });
}

async function rotate(ids: string[], options: Options, io: CliIo): Promise<void> {
  const output = new Output(io, options);
  const { all = false, again = false, wait = false } = options;
  if (all === ids.length > 0) throw new UsageError('say which peels: their ids, or --all');
  if (again && !all) throw new UsageError('--again goes with --all');
  const limit = wholeNumber('--limit', options.limit, 1, 100_000);
  const timeoutMs = parseSpan('--timeout', options.timeout);
  const since =
    options.since === undefined ? undefined : new Date(parsePast(options.since, io.now())).toISOString();
  const { validatePeelId } = await import('../../permissions/peel-id.js');
  for (const id of ids) validatePeelId(id);
  const { removeCampaign, campaignPath } = await import('../fleet/campaign.js');
  const { rotatePeels } = await import('../fleet/rotate-peels.js');
  const { Progress } = await import('../bulk/progress.js');

  const interruption = new AbortController();
  let interruptedBy: InterruptedError['signal'] | undefined;
  const stopListening = io.onInterrupt((signal) => {
    interruptedBy ??= signal;
    interruption.abort();
  });
  try {
    await asAdmin(options, io, async (admin) => {
      const { keys, before } = all ? await everyPeel(admin, again, io, output) : await named(admin, ids);
      const progress = new Progress(io, output.quiet, 'rotated');
      const result = await rotatePeels(
        admin,
        {
          keys,
          limit,
          timeoutMs,
          since,
          wait,
          signal: interruption.signal,
          onProgress: ({ done, asked, late }) => {
            progress.done = done.size;
            progress.share = keys.size === 0 ? 1 : (done.size + asked.size + late.size) / keys.size;
            progress.tell();
          },
          onFailed: (peelId, error) => {
            progress.clear();
            output.warn(`${peelId}: ${error.message} [${error.code}]`);
          },
        },
        io,
      );
      progress.clear();
      report(result, before, output);
      if (interruptedBy !== undefined) {
        throw new InterruptedError(
          interruptedBy,
          `interrupted after ${count(result.done.size, 'rotation')}${all ? '; the same command goes on where it was' : ''}`,
        );
      }
      const bad = result.late.size + result.failed.size;
      if (all && bad === 0) await removeCampaign(campaignPath(admin.account, io).path);
      if (bad > 0) {
        throw new FindingsError(
          `${bad} of ${keys.size} ${bad === 1 ? 'has' : 'have'} not replaced ${bad === 1 ? 'its key' : 'their keys'}: ` +
            `each is named above${all ? '; the same command tries those again' : ''}`,
        );
      }
    });
  } finally {
    stopListening();
  }
}

interface Wanted {
  keys: Map<string, string | undefined>;
  /** How many were done in a run before this one. */
  before: number;
}

async function named({ client }: Admin, ids: readonly string[]): Promise<Wanted> {
  const { liveKeyOf } = await import('../fleet/rotate-peels.js');
  const keys = new Map<string, string | undefined>();
  for (const peelId of ids) {
    const { record } = await client.ask('peel.show', { peelId, events: 0 });
    keys.set(peelId, liveKeyOf(record));
  }
  return { keys, before: 0 };
}

/** Those that still have the key that they had when the rotation began. */
async function everyPeel(admin: Admin, again: boolean, io: CliIo, output: Output): Promise<Wanted> {
  const { campaignPath, loadCampaign, saveCampaign } = await import('../fleet/campaign.js');
  const { liveKeyOf } = await import('../fleet/rotate-peels.js');
  const live = new Map<string, string>();
  for await (const { peels } of admin.client.stream('peel.list', { state: 'active' })) {
    for (const { record } of peels) {
      const key = liveKeyOf(record);
      if (key !== undefined) live.set(record.id, key);
    }
  }
  const where = campaignPath(admin.account, io);
  const begun = again ? undefined : await loadCampaign(where.path);
  if (begun === undefined) {
    const campaign: Campaign = {
      startedAt: new Date(io.now()).toISOString(),
      keys: Object.fromEntries(live),
    };
    await saveCampaign(where, campaign);
    return { keys: live, before: 0 };
  }
  const keys = new Map([...live].filter(([id, key]) => begun.keys[id] === key));
  const before = Object.keys(begun.keys).length - keys.size;
  output.note(
    `going on with the rotation begun ${begun.startedAt}: ${before} are done or gone, ${keys.size} are left (--again begins anew)`,
  );
  return { keys, before };
}

function report(
  { done, underWay, asked, late, failed }: RotationResult,
  before: number,
  output: Output,
): void {
  const [one] = [...done];
  const isOthers = underWay.size + asked.size + late.size + failed.size > 0;
  const doneLines =
    done.size === 1 && one !== undefined
      ? [`${one} has a new key`]
      : done.size === 0 && isOthers
        ? []
        : [done.size === 0 ? 'nothing to rotate' : `${count(done.size, 'peel')} have new keys`];
  output.result(
    [
      ...doneLines,
      ...(before === 0 ? [] : [`${before} before this run`]),
      ...(underWay.size === 0
        ? []
        : [`told ${count(underWay.size, 'peel')}, not done yet: ${some(underWay.keys())}`]),
      ...(asked.size === 0 ? [] : [`${asked.size} not connected, told when they next renew: ${some(asked)}`]),
      ...(late.size === 0 ? [] : [`${late.size} told, and not done in time: ${some(late)}`]),
    ],
    {
      rotated: [...done],
      before,
      underWay: [...underWay.keys()],
      asked: [...asked],
      late: [...late],
      failed: [...failed].map(([id, { code, message }]) => ({ id, code, message })),
    },
  );
}

function some(ids: Iterable<string>): string {
  const all = [...ids];
  return all.length <= 8 ? all.join(', ') : `${all.slice(0, 8).join(', ')} and ${all.length - 8} more`;
}

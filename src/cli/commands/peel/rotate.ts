// `zester peel rotate`: have peels replace their keys, without an outage.
import { FindingsError, InterruptedError, UsageError } from '../../../errors.js';
import { count as countWords } from '../../terminal/columns.js';
import { command } from '../../command/declaration.js';
import { count, flag, past, span, words } from '../../command/option.js';
import type { Admin } from '../../fleet/admin.js';
import { chosenPeels, someIds } from '../../fleet/chosen-peels.js';
import type { Campaign } from '../../fleet/campaign.js';
import type { RotationResult } from '../../fleet/rotate-peels.js';
import { rotateWithProgress } from '../../fleet/rotate-with-progress.js';
import { selectorOption } from '../../options/label-options.js';
import type { CliIo, InterruptSignal } from '../../terminal/io.js';
import type { Output } from '../../terminal/output.js';

export default command({
  summary: 'rotate the keys of peels, without an outage',
  needs: 'fleet',
  arguments: { peelId: words('peel IDs') },
  options: {
    all: flag('--all', 'every active peel'),
    selector: selectorOption('every active peel with these labels, e.g. env=prod'),
    limit: count('--limit <n>', 'maximum number of peels rotating at once', { min: 1, max: 100_000 }, '10'),
    since: past('--since <time>', 'skip peels whose key was issued after this time, e.g. 2h'),
    wait: flag('--wait', 'wait until the notified peels have rotated'),
    timeout: span('--timeout <time>', 'timeout for each peel', '1m'),
    restart: flag('--restart', 'with --all or -l: start over instead of resuming the interrupted run'),
  },
  notes: `
A connected peel is notified at once, any other at its next renewal. Each peel generates its new key itself and signs
the request with the old one, which is revoked once the new one is in use. No connection and no message is lost.

--all and -l record the key of each peel in $XDG_STATE_HOME/zester (else ~/.local/state/zester). After an interruption,
the same command resumes with the peels that still have that key.`,
  examples: [
    'zester peel rotate web-01 --wait',
    'zester peel rotate --all --limit 50 --wait',
    'zester peel rotate -l env=prod,tier!=db --wait',
  ],
  async run({ peelId: ids, all, selector, restart, ...how }, context) {
    if ([ids.length > 0, all, selector !== undefined].filter(Boolean).length !== 1)
      throw new UsageError('pass exactly one of: peel IDs, --all, labels (-l)');
    const isMany = ids.length === 0;
    if (restart && !isMany) throw new UsageError('--restart needs --all or -l');
    const { validatePeelId } = await import('../../../permissions/peel-id.js');
    for (const id of ids) validatePeelId(id);
    const { io, output } = context;
    const { removeCampaign, campaignPath } = await import('../../fleet/campaign.js');
    const signal = context.interruption();
    const admin = await context.fleet();
    const { keys, before } = isMany
      ? await everyPeel(admin, selector, restart, io, output)
      : await named(admin, ids);
    const { limit, timeout: timeoutMs, since, wait } = how;
    const result = await rotateWithProgress(
      admin,
      {
        keys,
        limit,
        timeoutMs,
        since: since === undefined ? undefined : new Date(since).toISOString(),
        wait,
      },
      context,
    );
    report(result, before, output);
    if (signal.aborted) {
      throw new InterruptedError(
        signal.reason as InterruptSignal,
        `interrupted after ${countWords(result.done.size, 'rotation')}${isMany ? '; run the same command again to resume' : ''}`,
      );
    }
    const bad = result.late.size + result.failed.size;
    if (isMany && bad === 0) await removeCampaign(campaignPath(admin.account, io, selector).path);
    if (bad > 0) {
      throw new FindingsError(
        `${bad} of ${keys.size} ${bad === 1 ? 'peel has' : 'peels have'} not rotated ${bad === 1 ? 'its key' : 'their keys'}: ` +
          `each is named above${isMany ? '; run the same command again to retry' : ''}`,
      );
    }
  },
});

interface Wanted {
  keys: Map<string, string | undefined>;
  /** Peels done in earlier runs. */
  before: number;
}

async function named({ client }: Admin, ids: readonly string[]): Promise<Wanted> {
  const { liveKey } = await import('../../../protocol/records/record.js');
  const keys = new Map<string, string | undefined>();
  for (const peelId of ids) {
    const { record } = await client.ask('peel.show', { peelId, events: 0 });
    keys.set(peelId, liveKey(record)?.publicKey);
  }
  return { keys, before: 0 };
}

/** The peels that still have the key from the start of the rotation. */
async function everyPeel(
  admin: Admin,
  labels: string | undefined,
  restart: boolean,
  io: CliIo,
  output: Output,
): Promise<Wanted> {
  const { campaignPath, loadCampaign, saveCampaign } = await import('../../fleet/campaign.js');
  const { liveKey } = await import('../../../protocol/records/record.js');
  const live = new Map<string, string>();
  for await (const record of chosenPeels(admin.client, { labels }, 'active')) {
    const key = liveKey(record);
    if (key !== undefined) live.set(record.id, key.publicKey);
  }
  const where = campaignPath(admin.account, io, labels);
  const begun = restart ? undefined : await loadCampaign(where.path);
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
    `resuming the rotation of ${begun.startedAt}: ${before} done or gone, ${keys.size} left (--restart starts over)`,
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
        : [done.size === 0 ? 'nothing to rotate' : `${countWords(done.size, 'peel')} have new keys`];
  output.result(
    [
      ...doneLines,
      ...(before === 0 ? [] : [`${before} before this run`]),
      ...(underWay.size === 0
        ? []
        : [`notified ${countWords(underWay.size, 'peel')}, not done yet: ${someIds(underWay.keys())}`]),
      ...(asked.size === 0
        ? []
        : [`${asked.size} not connected, will rotate at their next renewal: ${someIds(asked)}`]),
      ...(late.size === 0 ? [] : [`${late.size} notified, but not done in time: ${someIds(late)}`]),
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

// `zester master remove`: withdraw a master's users and signing keys.
import { FindingsError, InterruptedError } from '../../../errors.js';
import type { MasterDependents } from '../../../masters/dependents.js';
import type { RosterEntry } from '../../../masters/roster.js';
import type { ContextOf } from '../../command/context.js';
import { command } from '../../command/declaration.js';
import { argument, count, flag, span, text } from '../../command/option.js';
import { removedMaster } from '../../fleet/removed-master.js';
import { renewDependents } from '../../fleet/renew-dependents.js';
import { count as countWords } from '../../terminal/columns.js';
import { confirm } from '../../terminal/confirm.js';
import type { InterruptSignal } from '../../terminal/io.js';

export default command({
  summary: "withdraw a master's users and signing keys",
  needs: 'operator',
  arguments: { name: argument('the master\'s name, as in "zester master list"') },
  options: {
    now: flag('--now', 'for a stolen host: cut it off at once, with the peels that it signed'),
    limit: count('--limit <n>', 'maximum number of peels rotating at once', { min: 1, max: 100_000 }, '10'),
    timeout: span('--timeout <time>', 'timeout for each peel', '1m'),
    reason: text('--reason <text>', 'recorded in the audit log'),
    yes: flag('-y, --yes', 'skip the confirmation'),
  },
  notes: `
Run this in another master's home, while another master runs. First, the master's users are revoked on every server,
which locks it out. Then each peel whose credential it signed gets a new key from the other masters, and only then its
signing keys are removed from the account: no connection is lost. If peels remain, because they are not connected or do
not renew, the command lists them, keeps the keys and exits with 1: run it again. Peels whose credential from this
master has expired can no longer recover: it names them, and --json lists them as "expired".

--now withdraws everything in one step, and lists the peels that lose access: give each a new credential ("zester peel
add ID --replace", or a new join). Join tokens signed by the master stop working either way. Other masters' credentials
are not affected. The operator's signing key is the same on all hosts: after a theft, replace it too (docs/fleet.md).`,
  examples: ['zester master remove host-b', "zester master remove host-b --now --reason 'host was stolen'"],
  async run({ name, now, yes, ...how }, context) {
    const { io, system } = context;
    const { home, ...options } = await system();
    const { masterToRemove } = await import('../../../masters/remove-master.js');
    const master = await masterToRemove(home, name, options);
    const before = await dependents(master, context);
    if ('unknown' in before && !now)
      throw new FindingsError(
        `which peels the master "${name}" signed is not known (${before.unknown}): nothing was changed; try again, or pass --now`,
      );
    await confirm(io, question(name, before, now), yes);
    let renewed = 0;
    if (!now) {
      const signal = context.interruption();
      const after = await renewDependents(master, how, context, () => dependents(master, context));
      renewed = ('unknown' in before ? 0 : before.peels.length) - after.length;
      if (signal.aborted)
        throw new InterruptedError(
          signal.reason as InterruptSignal,
          `interrupted: the users of "${name}" are withdrawn, its signing keys are not; run the same command again to resume`,
        );
      if (after.length > 0)
        throw new FindingsError(
          `${countWords(after.length, 'peel')} still ${after.length === 1 ? 'depends' : 'depend'} on the signing key of "${name}" (${some(after)}): ` +
            'its users are withdrawn, its signing keys are not; run this again once they are connected, or pass --now to cut them off',
        );
    }
    const cut = now || 'unknown' in before ? before : { ...before, peels: [] };
    await removedMaster(master, { cut, renewed, now, reason: how.reason }, context);
  },
});

async function dependents(
  master: RosterEntry,
  { io, system, openHome }: ContextOf<'operator'>,
): Promise<MasterDependents | { unknown: string }> {
  const { knownCredentials } = await import('../../../fleet-client/from-home.js');
  const { dependentsOf } = await import('../../../masters/dependents.js');
  const { errorMessage } = await import('../../../text/error-message.js');
  const options = await system();
  try {
    const known = await knownCredentials(await openHome(), options, options.systemCreds);
    return dependentsOf(master, known, io.now());
  } catch (error) {
    return { unknown: errorMessage(error) };
  }
}

function question(name: string, before: MasterDependents | { unknown: string }, now: boolean): string {
  const what = `this removes the master "${name}"`;
  if ('unknown' in before) return `${what}, and cuts off an unknown number of peels (${before.unknown})`;
  const { peels, expired } = before;
  const isCut = now ? `cuts off ${countWords(peels.length, 'peel')}: ${some(peels)}` : undefined;
  const consequences = [
    ...(peels.length === 0 ? [] : [isCut ?? `gives ${countWords(peels.length, 'peel')} a new key`]),
    ...(expired.length === 0
      ? []
      : [`prevents ${countWords(expired.length, 'expired peel')} from recovering (${some(expired)})`]),
  ];
  return [what, ...consequences].join(', and ');
}

function some(ids: readonly string[]): string {
  return ids.length <= 8 ? ids.join(', ') : `${ids.slice(0, 8).join(', ')} and ${ids.length - 8} more`;
}

// `zester restore`: restore a backup.
import { argument, flag, requiredText, text } from '../command/option.js';
import { command } from '../command/declaration.js';
import { count } from '../terminal/columns.js';
import { pushedLine } from '../options/change-options.js';
import type { RestoredFleet } from '../../backup/restore-backup.js';

export default command({
  summary: 'restore a backup into an empty home or a running fleet',
  section: 'Other',
  needs: 'system',
  arguments: { file: argument('the backup') },
  options: {
    identity: requiredText('-i, --identity <file>', 'the age identity file (AGE-SECRET-KEY-…)'),
    operator: text('--operator <key>', 'refuse a backup of any other operator (O…)'),
    homeOnly: flag('--home-only', "restore the home only, not the servers' state"),
  },
  notes: `
Restores the home first, unless it already has this trust domain, then the servers' state: the servers must run with
that home's configuration ("zester server"). Anything newer than the backup stays; a peel revoked since the backup was
made stays revoked. Anyone who knows a recipient can encrypt a file to it: pass --operator to refuse a backup of another
operator. Start the masters afterwards. To complete an interrupted restore, run the command again.`,
  examples: [
    ['zester restore fleet.age -i key.txt --home-only', 'then start the servers, then'],
    'zester restore fleet.age -i key.txt',
  ],
  async run({ file, identity, operator, homeOnly }, { io, output, home, system }) {
    const { readIdentities } = await import('../../backup/age-identities.js');
    const { checkBackup, requireOperator, restoreFleet, restoreHome } =
      await import('../../backup/restore-backup.js');
    const { requireComplete } = await import('../../account/push-account.js');
    const { Progress } = await import('../bulk/progress.js');
    const backup = await checkBackup(file, await readIdentities(identity));
    if (operator !== undefined) requireOperator(backup, operator);
    const restored = await restoreHome(backup, home);
    const homeLine = `home: ${restored === 'kept' ? 'kept as it is' : `restored in ${home}`}`;
    if (homeOnly) return output.result([homeLine], { home: restored });
    output.note(`${homeLine}; restoring the servers' state`);
    const options = await system();
    const progress = new Progress(io, output.quiet, 'bytes restored');
    let fleet: RestoredFleet;
    try {
      fleet = await restoreFleet(backup, home, options, (read, size) => progress.reach(read, read / size));
    } finally {
      progress.clear();
    }
    const { report, peels, tokens, events } = fleet;
    output.result(
      [
        homeLine,
        `account: ${pushedLine(report)}`,
        `peels: ${peels.restored} restored, ${peels.kept} kept as they are`,
        ...(peels.revoked.length === 0
          ? []
          : [
              `revoked since the backup was made, and still revoked: ${peels.revoked.slice(0, 20).join(', ')}` +
                (peels.revoked.length > 20 ? ` and ${count(peels.revoked.length - 20, 'more peel')}` : ''),
            ]),
        `join tokens: ${tokens.restored} restored, ${tokens.kept} kept`,
        `audit events: ${events.restored} restored, ${events.kept} kept`,
      ],
      { home: restored, account: report, peels, tokens, events },
    );
    requireComplete(report, 'the account');
  },
});

/** `zester account push` */
import { pushedLine } from '../../change-options.js';
import { command } from '../../command/declaration.js';
import { flag } from '../../command/option.js';
import { confirm } from '../../confirm.js';

export default command({
  summary: 'push the account JWT to every server',
  needs: 'system',
  options: {
    acceptRemovals: flag(
      '--accept-removals',
      'give up revocations and signing keys that the newest account JWT lacks, after listing them',
    ),
    yes: flag('-y, --yes', 'with it: do not ask'),
  },
  notes: `
Each server confirms by name. Where the servers hold a newer account JWT (another home or a master changed it), the home takes
it over first. Revocations and signing keys that it lost, because another tool signed an older state, are restored. A running
master restores them within seconds: to remove them, use "zester keys remove" and "zester revocations clear". The replaced JWT
is kept in jwt/replaced/ of the home. Exit code 4 when a server did not confirm.`,
  examples: [
    'zester account push',
    'zester account push --servers nats://n1:4222 nats://n2:4222 nats://n3:4222',
  ],
  async run({ acceptRemovals, yes }, { io, output, system }) {
    const { home, ...rest } = await system();
    const { pushAccount, showAccount } = await import('../../../nats-server/account.js');
    const { requireComplete } = await import('../../../nats-server/push-account.js');
    if (acceptRemovals) {
      const { lossWords } = await import('../../../trust/merge-account.js');
      const lost = lossWords((await showAccount(home, rest)).lost);
      for (const line of lost) output.warn(`this gives up the ${line}`);
      if (lost.length > 0) await confirm(io, 'what is listed above leaves the account for good', yes);
    }
    const { report, tookOver, restored } = await pushAccount(home, { ...rest, acceptRemovals });
    output.result(
      [...(tookOver ? ['the home took over the newer account JWT of the servers'] : []), pushedLine(report)],
      { ...report, tookOver, restored },
    );
    requireComplete(report, 'the account');
  },
});

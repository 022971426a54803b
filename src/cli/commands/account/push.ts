// `zester account push`: push the account JWT to every server.
import { pushedLine } from '../../options/change-options.js';
import { command } from '../../command/declaration.js';
import { flag } from '../../command/option.js';

export default command({
  summary: 'push the account JWT to every server',
  needs: 'system',
  options: {
    acceptRemovals: flag(
      '--accept-removals',
      'accept the loss of revocations and signing keys that the newest account JWT lacks, after listing them',
    ),
    force: flag(
      '--force',
      'with --accept-removals: also give up signing keys that valid credentials may depend on',
    ),
    yes: flag('-y, --yes', 'with --accept-removals: skip the confirmation'),
  },
  notes: `
Each server confirms by name. If the servers hold a newer account JWT (another home or a master changed it), the home
adopts it first. Revocations and signing keys missing from it, because another tool signed an older state, are restored.
A running master also restores them within seconds; to remove them, use "zester keys remove" and "zester revocations
clear". The replaced JWT is kept in jwt/replaced/ of the home. Exit code 4 if a server did not confirm.`,
  examples: [
    'zester account push',
    'zester account push --servers nats://n1:4222 nats://n2:4222 nats://n3:4222',
  ],
  async run({ acceptRemovals, force, yes }, { io, output, system, openHome }) {
    const { home, ...rest } = await system();
    const { pushAccount } = await import('../../../account/check-account.js');
    const { requireComplete } = await import('../../../account/push-account.js');
    const removal = acceptRemovals
      ? await (
          await import('../../fleet/accept-removals.js')
        ).acceptRemovals(home, rest, { force, yes }, { io, output })
      : undefined;
    const { report, tookOver, restored } = await pushAccount(home, {
      ...rest,
      ...(removal && { acceptRemovals: removal }),
    });
    output.result(
      [...(tookOver ? ['the home adopted the newer account JWT of the servers'] : []), pushedLine(report)],
      { ...report, tookOver, restored },
    );
    if (removal !== undefined && removal.uses.size > 0) {
      const { auditKeyRemoval } = await import('../../../fleet-client/key-removals.js');
      const by = 'zester account push --accept-removals';
      const isAudited = await auditKeyRemoval(await openHome(), removal, rest, by);
      if (!isAudited) output.note('not audited: no master has run on these servers yet');
    }
    requireComplete(report, 'the account');
  },
});

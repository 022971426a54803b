// `zester revocations clear`: clear revocations: the credentials may connect again.
import type { ClearTarget } from '../../../account/revoke.js';
import { pushedLine } from '../../options/change-options.js';
import { count } from '../../terminal/columns.js';
import { command } from '../../command/declaration.js';
import { requireOneOf } from '../../command/one-of.js';
import { flag, list, optionalArgument, past } from '../../command/option.js';
import { confirm } from '../../terminal/confirm.js';

export default command({
  summary: 'clear revocations: the credentials may connect again',
  needs: 'change',
  arguments: { peelId: optionalArgument('revocations of this peel') },
  options: {
    key: list('--key <key...>', 'revocations of these public keys (U…, or * for all)'),
    before: past(
      '--before <time>',
      'revocations older than this, e.g. 30d; safe if credentials of that age have expired',
    ),
    all: flag('--all', 'all revocations'),
    yes: flag('-y, --yes', 'skip the confirmation'),
  },
  examples: ['zester revocations clear web-server-01', 'zester revocations clear --before 30d --yes'],
  async run({ peelId, key, before, all, yes }, { io, output, change }) {
    const target = targetOf({ peelId, key, before, all: all || undefined });
    const { home, ...rest } = await change();
    await confirm(io, 'the credentials that these revocations cover may connect again', yes);
    const { clearRevocations } = await import('../../../account/revoke.js');
    const { requireComplete } = await import('../../../account/push-account.js');
    const { cleared, report } = await clearRevocations(home, target, rest);
    output.result([`cleared ${count(cleared.length, 'revocation')}; ${pushedLine(report)}`], {
      cleared: cleared.map(({ publicKey }) => publicKey),
      servers: report ?? null,
    });
    if (report !== undefined) requireComplete(report, 'the account without them');
  },
});

function targetOf(given: {
  peelId: string | undefined;
  key: string[] | undefined;
  before: number | undefined;
  all: true | undefined;
}): ClearTarget {
  const { peelId, key, before, all } = given;
  requireOneOf(given, 'pass exactly one of: a peel ID, --key, --before, --all');
  if (key !== undefined) return { publicKeys: key };
  if (before !== undefined) return { before };
  return all === true ? { all } : { peelId: peelId ?? '' };
}

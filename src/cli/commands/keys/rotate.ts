// `zester keys rotate`: replace the peel signing key in one command.
import { command } from '../../command/declaration.js';
import { choiceArgument, count, flag, span } from '../../command/option.js';

export default command({
  summary: 'replace a signing key: add, renew, remove',
  needs: 'operator',
  arguments: { kind: choiceArgument('kind of signing key', ['peel-signing'] as const) },
  options: {
    limit: count('--limit <n>', 'maximum number of peels rotating at once', { min: 1, max: 100_000 }, '10'),
    timeout: span('--timeout <time>', 'timeout for each peel', '1m'),
    now: flag('--now', 'remove the old key even if some peels have not renewed, and cut those off'),
    dryRun: flag('--dry-run', 'only show what depends on the key'),
    yes: flag('-y, --yes', 'skip the confirmation'),
  },
  notes: `
Use this if the key may have leaked. A master must be running. The command adds a key to the account, and masters of
this home sign with it. Each peel signed by the old key gets a new key, without an outage. Then the old key is removed
on every server: they refuse everything that it signed. Connections that it signed and that no master accepted are cut
and listed.

If interrupted, run the same command again to resume. If peels remain, because they are not connected or do not renew,
it lists them, keeps the old key and exits with 1: run it again when they are back, or once their credentials have
expired. --now renews the connected ones and cuts off the rest; a peel that is cut off comes back with its recovery
credential.

It replaces the key of this home's master. Other masters have their own: run it there, or "zester master remove" for a
stolen host.`,
  examples: ['zester keys rotate peel-signing', 'zester keys rotate peel-signing --dry-run --json'],
  async run(how, context) {
    const { rotatePeelSigning } = await import('../../fleet/rotate-peel-signing.js');
    await rotatePeelSigning(how, context);
  },
});

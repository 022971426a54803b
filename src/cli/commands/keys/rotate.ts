// `zester keys rotate`: replace the peel signing key in one command.
import { command } from '../../command/declaration.js';
import { choiceArgument, count, flag, span } from '../../command/option.js';

export default command({
  summary: 'replace a signing key: add, renew, remove',
  needs: 'operator',
  arguments: { kind: choiceArgument('which', ['peel-signing'] as const) },
  options: {
    limit: count('--limit <n>', 'maximum number of peels rotating at once', { min: 1, max: 100_000 }, '10'),
    timeout: span('--timeout <time>', 'for each peel', '1m'),
    now: flag('--now', 'remove the old key although some peels have not renewed, and cut those off'),
    dryRun: flag('--dry-run', 'only show what depends on the key'),
    yes: flag('-y, --yes', 'do not ask'),
  },
  notes: `
For a key that may have leaked. A master must run. It adds a key to the account, and masters of this home sign with it. Each peel
that the old key signed gets a new key, without an outage. Then the old key is removed, on every server: what it signed is refused,
and connections that it signed and that no master accepted are cut and listed.

Interrupted at any point, the same command continues. If peels remain, because they are not connected or do not renew, it lists
them, keeps the old key and exits with 1: run it again when they are back, or once their credentials have expired. --now renews
those that are connected, and cuts off the rest; a peel that is cut off comes back with its recovery credential.

It replaces the key of this home's master. Other masters have their own: run it there, or "zester master remove" for a stolen host.`,
  examples: ['zester keys rotate peel-signing', 'zester keys rotate peel-signing --dry-run --json'],
  async run(how, context) {
    const { rotatePeelSigning } = await import('../../fleet/rotate-peel-signing.js');
    await rotatePeelSigning(how, context);
  },
});

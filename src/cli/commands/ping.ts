// `zester ping`: check that peels respond.
import { command } from '../command/declaration.js';
import { argument, span } from '../command/option.js';
import { peelPattern } from '../options/peel-pattern.js';

export default command({
  summary: 'check that peels respond',
  section: 'Peels',
  needs: 'fleet',
  arguments: { pattern: argument("a peel ID, or a pattern such as 'web-*'", peelPattern) },
  options: {
    timeout: span('--timeout <time>', 'for each peel', '2s'),
    wait: span('--wait <time>', 'wait until a master and every matching peel respond'),
  },
  notes: `
Exit codes: 0 all responded, 1 some did not, 3 no accepted peel matches, 4 none could be reached.`,
  examples: [
    'zester ping web-01',
    "zester ping 'web-*' --timeout 500ms --json",
    ['zester ping web-01 --wait 10s', 'wait for a peel that is starting'],
  ],
  async run({ pattern, timeout, wait = 0 }, { io, output, fleet }) {
    const until = io.now() + wait;
    const { commandMatching } = await import('../fleet/command-matching.js');
    const admin = await fleet(wait);
    const what = {
      pattern,
      command: { handler: 'ping', args: [] },
      timeoutMs: timeout,
      waitMs: Math.max(0, until - io.now()),
      line: ({ id, ms }: { id: string; ms: number }) => `${id}: ${ms} ms`,
    };
    await commandMatching(admin, what, io, output);
  },
});

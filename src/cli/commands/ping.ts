// `zester ping`: check that peels respond.
import { command } from '../command/declaration.js';
import { optionalArgument, span } from '../command/option.js';
import { UsageError } from '../../errors.js';
import { selectorOption } from '../options/label-options.js';
import { peelPattern } from '../options/peel-pattern.js';

export default command({
  summary: 'check that peels respond',
  section: 'Peels',
  needs: 'fleet',
  arguments: { pattern: optionalArgument("a peel ID, or a pattern such as 'web-*'", peelPattern) },
  options: {
    selector: selectorOption(),
    timeout: span('--timeout <time>', 'timeout for each peel', '2s'),
    wait: span('--wait <time>', 'wait until a master and every matching peel respond'),
  },
  notes: `
Exit codes: 0 all responded, 1 some did not, 3 no accepted peel matches, 4 none could be reached.`,
  examples: [
    'zester ping web-01',
    "zester ping 'web-*' --timeout 500ms --json",
    'zester ping -l env=prod,tier!=db',
    ['zester ping web-01 --wait 10s', 'wait for a peel that is starting'],
  ],
  async run({ pattern, selector: labels, timeout, wait = 0 }, { io, output, fleet }) {
    if (pattern === undefined && labels === undefined)
      throw new UsageError('no peels given: pass an ID, a pattern, or labels (-l)');
    const until = io.now() + wait;
    const { commandMatching } = await import('../fleet/command-matching.js');
    const admin = await fleet(wait);
    const what = {
      choice: { pattern, labels },
      command: { handler: 'ping', args: [] },
      timeoutMs: timeout,
      waitMs: Math.max(0, until - io.now()),
      line: ({ id, ms }: { id: string; ms: number }) => `${id}: ${ms} ms`,
    };
    await commandMatching(admin, what, io, output);
  },
});

// `zester peel exec`: call a handler of peels, and show their answers.
import { UsageError } from '../../../errors.js';
import { command } from '../../command/declaration.js';
import { argument, span, words } from '../../command/option.js';
import { peelPattern } from '../../options/peel-pattern.js';

export default command({
  summary: 'call a handler on peels, and show their answers',
  needs: 'fleet',
  arguments: {
    pattern: argument("a peel ID, or a pattern such as 'web-*'", peelPattern),
    handler: argument('its name, such as facts or disk.free'),
    args: words('its arguments; after -- if they start with a dash'),
  },
  options: { timeout: span('--timeout <time>', 'for each peel', '10s') },
  notes: `
Every peel has "ping" and "facts"; its program adds others. There is no shell. The exit codes are those of "zester ping".`,
  examples: ['zester peel exec web-01 facts', "zester peel exec 'db-*' disk.free /var --timeout 30s --json"],
  async run({ pattern, handler, args, timeout }, { io, output, fleet }) {
    const { HANDLER_NAME } = await import('../../../protocol/command.js');
    if (!HANDLER_NAME.test(handler)) {
      throw new UsageError(`"${handler}" is not a valid handler name: use one such as facts or disk.free`);
    }
    const { commandMatching } = await import('../../fleet/command-matching.js');
    const what = {
      pattern,
      command: { handler, args },
      timeoutMs: timeout,
      waitMs: 0,
      line: ({ id, result }: { id: string; result: unknown }) => `${id}: ${JSON.stringify(result ?? null)}`,
    };
    await commandMatching(await fleet(), what, io, output);
  },
});

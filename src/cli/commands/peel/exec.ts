// `zester peel exec`: call a handler of peels, and show their answers.
import { UsageError } from '../../../errors.js';
import { command } from '../../command/declaration.js';
import { argument, optionalArgument, span, words } from '../../command/option.js';
import { selectorOption } from '../../options/label-options.js';
import { peelPattern } from '../../options/peel-pattern.js';

export default command({
  summary: 'call a handler on peels, and show their answers',
  needs: 'fleet',
  arguments: {
    pattern: argument("a peel ID, or a pattern such as 'web-*'; not needed with -l"),
    handler: optionalArgument('its name, such as facts or disk.free'),
    args: words('its arguments; after -- if they start with a dash'),
  },
  options: {
    selector: selectorOption(),
    timeout: span('--timeout <time>', 'timeout for each peel', '10s'),
  },
  notes: `
Every peel has the handlers "ping" and "facts"; its program can add more. No shell is exposed. Exit codes are as for
"zester ping".`,
  examples: [
    'zester peel exec web-01 facts',
    "zester peel exec 'db-*' disk.free /var --timeout 30s --json",
    'zester peel exec -l env=prod facts',
  ],
  async run(
    { pattern: first, handler: second, args: rest, selector: labels, timeout },
    { io, output, fleet },
  ) {
    // only a pattern has * or ?, so with -l the first word is never a guess
    const hasPattern = labels === undefined || /[*?]/.test(first);
    const pattern = hasPattern ? peelPattern(first) : undefined;
    const [handler, ...args] = [
      ...(hasPattern ? [] : [first]),
      ...(second === undefined ? [] : [second]),
      ...rest,
    ];
    if (handler === undefined) throw new UsageError('no handler given: pass its name, such as facts');
    const { HANDLER_NAME } = await import('../../../protocol/command.js');
    if (!HANDLER_NAME.test(handler)) {
      throw new UsageError(`"${handler}" is not a valid handler name: use one such as facts or disk.free`);
    }
    const { commandMatching } = await import('../../fleet/command-matching.js');
    const what = {
      choice: { pattern, labels },
      command: { handler, args },
      timeoutMs: timeout,
      waitMs: 0,
      line: ({ id, result }: { id: string; result: unknown }) => `${id}: ${JSON.stringify(result ?? null)}`,
    };
    await commandMatching(await fleet(), what, io, output);
  },
});

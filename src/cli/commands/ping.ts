import type { Command } from 'commander';
import { parseSpan, SPAN_FORM } from '../duration.js';
import { asAdmin, withAdminOptions, type AdminOptions } from '../fleet/admin.js';
import type { CliIo } from '../io.js';
import { Output, type GlobalOptions } from '../output.js';
import { requirePeelPattern } from '../peel-pattern.js';

interface Options extends GlobalOptions, AdminOptions {
  timeout: string;
  wait?: string;
}

/** `zester ping`: who is there. */
export function registerPing(parent: Command, io: CliIo): void {
  withAdminOptions(parent.command('ping'))
    .description('ask peels whether they are there')
    .argument('<glob>', "an id, or a pattern such as 'web-*'; '*' is all")
    .option('--timeout <time>', `how long each may take: ${SPAN_FORM}`, '2s')
    .option('--wait <time>', 'wait so long until there is a master and all that match answer')
    .addHelpText(
      'after',
      `
Ends with 0 when all that match answered, with 4 when none could be reached, with 1 when some did not, with 3 when no
accepted peel matches.

Examples:
  $ zester ping web-01
  $ zester ping 'web-*' --timeout 500ms --json
  $ zester ping web-01 --wait 10s                    just started: wait for it`,
    )
    .action(async (pattern: string, _options, command: Command) => {
      const options = command.optsWithGlobals<Options>();
      requirePeelPattern(pattern);
      const timeoutMs = parseSpan('--timeout', options.timeout);
      const waitMs = options.wait === undefined ? 0 : parseSpan('--wait', options.wait);
      const until = io.now() + waitMs;
      const output = new Output(io, options);
      const { commandMatching } = await import('../fleet/command-matching.js');
      await asAdmin(
        options,
        io,
        (admin) =>
          commandMatching(
            admin,
            {
              pattern,
              command: { handler: 'ping', args: [] },
              timeoutMs,
              waitMs: Math.max(0, until - io.now()),
              line: ({ id, ms }) => `${id}: ${ms} ms`,
            },
            io,
            output,
          ),
        waitMs,
      );
    });
}

import type { Command } from 'commander';
import { UsageError } from '../../errors.js';
import { parseSpan, SPAN_FORM } from '../duration.js';
import { asAdmin, withAdminOptions, type AdminOptions } from '../fleet/admin.js';
import type { CliIo } from '../io.js';
import { Output, type GlobalOptions } from '../output.js';
import { requirePeelPattern } from '../peel-pattern.js';

interface Options extends GlobalOptions, AdminOptions {
  timeout: string;
}

/** `zester peel exec`: has peels do what they have a handler for. */
export function registerPeelExec(parent: Command, io: CliIo): void {
  withAdminOptions(parent.command('exec'))
    .description(
      'call a handler of peels, and show what each answers; a peel has those that its program gave it',
    )
    .argument('<glob>', "an id, or a pattern such as 'web-*'; '*' is all")
    .argument('<handler>', 'its name, such as facts or disk.free')
    .argument('[args...]', 'its arguments, as they are; after -- those that begin with a dash')
    .option('--timeout <time>', `how long each may take: ${SPAN_FORM}`, '10s')
    .addHelpText(
      'after',
      `
Every peel has "ping" and "facts". There is no shell: what a peel does not offer cannot be asked of it. The exit codes
are those of "zester ping".

Examples:
  $ zester peel exec web-01 facts
  $ zester peel exec 'db-*' disk.free /var --timeout 30s --json`,
    )
    .action(async (pattern: string, handler: string, args: string[], _options, command: Command) => {
      const options = command.optsWithGlobals<Options>();
      requirePeelPattern(pattern);
      const timeoutMs = parseSpan('--timeout', options.timeout);
      const { HANDLER_NAME } = await import('../../fleet/command.js');
      if (!HANDLER_NAME.test(handler)) {
        throw new UsageError(`"${handler}" is no name of a handler: it is like facts, or disk.free`);
      }
      const output = new Output(io, options);
      const { commandMatching } = await import('../fleet/command-matching.js');
      await asAdmin(options, io, (admin) =>
        commandMatching(
          admin,
          {
            pattern,
            command: { handler, args },
            timeoutMs,
            waitMs: 0,
            line: ({ id, result }) => `${id}: ${JSON.stringify(result ?? null)}`,
          },
          io,
          output,
        ),
      );
    });
}

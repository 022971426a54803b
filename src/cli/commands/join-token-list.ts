import type { Command } from 'commander';
import { columns } from '../columns.js';
import { asAdmin, withAdminOptions, type AdminOptions } from '../fleet/admin.js';
import { tokenDocument, tokenState } from '../fleet/token-document.js';
import type { CliIo } from '../io.js';
import { Output, type GlobalOptions } from '../output.js';
import { timeWords } from '../time-words.js';

type Options = GlobalOptions & AdminOptions;

/** `zester join-token list`. */
export function registerJoinTokenList(parent: Command, io: CliIo): void {
  withAdminOptions(parent.command('list'))
    .description('list the join tokens that masters know')
    .addHelpText('after', '\nExamples:\n  $ zester join-token list\n  $ zester join-token list --json')
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals<Options>();
      const output = new Output(io, options);
      const { tokens } = await asAdmin(options, io, ({ client }) => client.ask('token.list', {}));
      const now = io.now();
      tokens.sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1));
      output.result(
        tokens.length === 0
          ? ['there is no join token']
          : columns(
              ['TOKEN', 'STATE', 'USED', 'IDS', 'EXPIRES', 'CREATED BY'],
              tokens.map((token) => [
                token.id,
                tokenState(token, now),
                `${token.used}/${token.uses}`,
                token.ids ?? 'any',
                timeWords(Date.parse(token.expiresAt), now),
                `${token.createdBy.name}, ${timeWords(Date.parse(token.createdAt), now)}`,
              ]),
            ),
        { tokens: tokens.map((token) => tokenDocument(token, now)) },
      );
    });
}

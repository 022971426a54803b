// `zester join-token list`: list join tokens.
import { columns } from '../../terminal/columns.js';
import { command } from '../../command/declaration.js';
import { tokenDocument, tokenState } from '../../fleet/token-document.js';
import { timeWords } from '../../terminal/time-words.js';

export default command({
  summary: 'list join tokens',
  needs: 'fleet',
  examples: ['zester join-token list', 'zester join-token list --json'],
  async run(_input, { io, output, fleet }) {
    const { client } = await fleet();
    const { tokens } = await client.ask('token.list', {});
    const now = io.now();
    tokens.sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1));
    output.result(
      tokens.length === 0
        ? ['no join tokens']
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
  },
});

// `zester join-token list`: list join tokens.
import { command } from '../../command/declaration.js';
import { labelText } from '../../../protocol/records/labels.js';
import type { JoinToken } from '../../../protocol/records/join-token.js';
import { tokenDocument, tokenState } from '../../fleet/token-document.js';
import { timeWords } from '../../terminal/time-words.js';

export default command({
  summary: 'list join tokens',
  needs: 'fleet',
  examples: ['zester join-token list', 'zester join-token list --json'],
  async run(_input, { io, output, fleet }) {
    const { client } = await fleet();
    const { tokens, omitted } = await client.ask('token.list', {});
    if (omitted !== undefined)
      output.warn(`${omitted} older join tokens are not listed: the list would exceed the message size`);
    const now = io.now();
    tokens.sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1));
    output.result(
      tokens.length === 0
        ? ['no join tokens']
        : output.columns(tokens, [
            ['TOKEN', ({ id }) => id],
            ['STATE', (token) => tokenState(token, now)],
            ['USED', ({ used, uses }) => `${used}/${uses}`],
            ['IDS', ({ ids = 'any' }) => ids],
            ...(tokens.some(({ labels }) => labels !== undefined)
              ? [['LABELS', ({ labels }: JoinToken) => labelText(labels)] as const]
              : []),
            ['EXPIRES', ({ expiresAt }) => timeWords(Date.parse(expiresAt), now)],
            [
              'CREATED BY',
              ({ createdBy, createdAt }) => `${createdBy.name}, ${timeWords(Date.parse(createdAt), now)}`,
            ],
          ]),
      { tokens: tokens.map((token) => tokenDocument(token, now)) },
    );
  },
});

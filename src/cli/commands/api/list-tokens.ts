// `zester api list-tokens`: list the tokens for the HTTP interface.
import { command } from '../../command/declaration.js';
import { timeWords } from '../../terminal/time-words.js';

export default command({
  summary: 'list the tokens for the HTTP interface',
  needs: 'home',
  examples: ['zester api list-tokens', 'zester api list-tokens --json'],
  async run(_input, { io, output, openHome }) {
    const { readApiTokens } = await import('../../api/token-store.js');
    const { home } = await openHome();
    const now = io.now();
    const tokens = (await readApiTokens(home)).map(({ name, role, createdAt, expiresAt }) => ({
      name,
      role,
      createdAt,
      expiresAt,
      expired: Date.parse(expiresAt) <= now,
    }));
    output.result(
      tokens.length === 0
        ? ['no tokens: create one with "zester api create-token"']
        : output.columns(tokens, [
            ['NAME', ({ name }) => name],
            ['ROLE', ({ role }) => role],
            ['CREATED', ({ createdAt }) => timeWords(Date.parse(createdAt), now)],
            ['EXPIRES', ({ expiresAt }) => timeWords(Date.parse(expiresAt), now)],
          ]),
      { tokens },
    );
  },
});

// `zester join-token remove`: remove a join token; peels that joined with it stay.
import { command } from '../../command/declaration.js';
import { argument } from '../../command/option.js';
import { tokenDocument } from '../../fleet/token-document.js';

export default command({
  summary: 'remove a join token; peels that joined with it remain',
  needs: 'fleet',
  arguments: { token: argument('the token\'s ID, as in "zester join-token list"') },
  examples: ['zester join-token remove 3hK2p9Qx1LbY'],
  async run({ token: tokenId }, { io, output, fleet }) {
    const { client } = await fleet();
    const { token } = await client.ask('token.remove', { tokenId });
    output.result([`removed the join token ${token.id}`], tokenDocument(token, io.now()));
  },
});

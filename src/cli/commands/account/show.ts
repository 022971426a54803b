// `zester account show`: compare the account JWT in the home and on each server.
import type { AccountVersion } from '../../../account/check-account.js';
import { count } from '../../terminal/columns.js';
import { command } from '../../command/declaration.js';
import { table } from '../../terminal/output.js';
import { timeWordsAndDate } from '../../terminal/time-words.js';

export default command({
  summary: 'compare the account JWT in the home and on each server',
  needs: 'system',
  examples: ['zester account show', 'zester account show --json'],
  async run(_input, { io, output, system }) {
    const { home, ...rest } = await system();
    const { showAccount } = await import('../../../account/check-account.js');
    const { describeLosses } = await import('../../../trust/account-jwt/merge-account.js');
    const view = await showAccount(home, rest);
    const words = ({ issuedAt, revocations, signingKeys }: AccountVersion) =>
      `issued ${timeWordsAndDate(issuedAt * 1000, io.now())}, ${count(revocations, 'revocation')}, ` +
      count(signingKeys.length, 'signing key');
    const serverWords = (version: AccountVersion | undefined, same: boolean | undefined) =>
      version === undefined
        ? 'unknown: the account is not loaded there'
        : `${same === true ? 'the same' : 'DIFFERS'}: ${words(version)}`;
    output.result(
      [
        `${view.account.name} ${view.account.publicKey}`,
        ...table([
          ['home', words(view.home)],
          ...view.servers.map(({ server, version, same }) => [server, serverWords(version, same)] as const),
          ...view.notReached.map((server) => [server, 'not reached'] as const),
        ]),
        ...describeLosses(view.lost).map(
          (line) => `the ${view.lost.by === 'home' ? "home's" : "servers'"} account JWT lost the ${line}`,
        ),
        view.inSync
          ? 'every server has what the home has'
          : 'they differ: push the newest with "zester account push"',
      ],
      view,
    );
  },
});

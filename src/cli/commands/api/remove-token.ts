// `zester api remove-token`: remove a token for the HTTP interface.
import { TrustError } from '../../../errors.js';
import { command } from '../../command/declaration.js';
import { argument } from '../../command/option.js';

export default command({
  summary: 'remove a token for the HTTP interface',
  needs: 'home',
  arguments: { name: argument('the token\'s name, as in "zester api list-tokens"') },
  notes: `
The token stops working at once, also in running "zester api" and "zester ui" processes of this home.`,
  examples: ['zester api remove-token grafana'],
  async run({ name }, { output, openHome }) {
    const { refuseSecret, removeApiToken } = await import('../../api/token-store.js');
    refuseSecret(name);
    const { home } = await openHome();
    if (!(await removeApiToken(home, name)))
      throw new TrustError(
        'ERR_TRUST_NOT_FOUND',
        home,
        `there is no API token "${name}": see "zester api list-tokens"`,
      );
    output.result([`removed ${name}`], { name });
  },
});

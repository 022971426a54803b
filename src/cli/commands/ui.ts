// `zester ui`: serve the web page of the fleet.
import { command } from '../command/declaration.js';
import { flag } from '../command/option.js';
import { HTTP_OPTIONS } from '../serve/http-options.js';

export default command({
  summary: 'administer the fleet in a web page',
  section: 'Start here',
  needs: 'fleet',
  options: { ...HTTP_OPTIONS, open: flag('--open', 'open the page in the browser') },
  notes: `
Prints a link that works once, within ten minutes; on a terminal, Enter prints another one. The page has exactly the
permissions of the command's admin credential. Programs can use the same interface with a token ("zester api --help").
From another machine, forward the port: ssh -L 4280:127.0.0.1:4280 HOST.`,
  examples: ['zester ui', 'zester ui --open', 'zester ui --creds approver.creds --port 4300'],
  async run({ host, port, open }, context) {
    const { runApi } = await import('../serve/run-api.js');
    await runApi({ host, port, page: true, open }, context);
  },
});

// `zester peel run`: run the peel agent; it renews its own credential.
import { UsageError } from '../../../errors.js';
import { command } from '../../command/declaration.js';
import { connectionOfConfig, TLS_SETTINGS } from '../../config/connection.js';
import { loadConfig } from '../../config/load.js';
import { configOptions } from '../../config/options.js';
import { runPeel } from '../../fleet/run-peel.js';

export default command({
  summary: 'run the peel agent; it renews its own credential',
  keepsKeys: true,
  options: configOptions([
    'creds',
    'servers',
    ...TLS_SETTINGS,
    'id',
    'rotate',
    'reconnectWindow',
    'logLevel',
  ]),
  notes: `
The agent waits for a server, and answers "zester ping" and "zester peel exec ID facts". For your own handlers, write a
program with startPeel of "zester/peel". At two thirds of its lifetime, the credential file is replaced, so the
directory must be writable. The log goes to standard error, as JSON unless it is a terminal.

Exit codes: 0 after Ctrl-C or SIGTERM, 3 when a master rejected or revoked the peel.`,
  examples: [
    'zester peel run --creds web-01.creds',
    'zester peel run --creds /etc/zester/peel.creds --servers tls://n1.acme:4222,tls://n2.acme:4222',
  ],
  async run(flags, { io, output }) {
    const { values } = await loadConfig('peel', flags, io);
    const { creds, id, rotate, reconnectWindow, logLevel } = values;
    if (creds === undefined) throw new UsageError('--creds is missing: pass the .creds file of this peel');
    const connection = connectionOfConfig(values, io);
    await runPeel({ creds, connection, id, rotate, reconnectWindow, logLevel }, output, io);
  },
});

// `zester master`: run a master, which issues, renews and revokes credentials.
import { whenAborted } from '../../../async/when-aborted.js';
import { ConnectError } from '../../../errors.js';
import { command } from '../../command/declaration.js';
import { connectionOfConfig, TLS_SETTINGS } from '../../config/connection.js';
import { loadConfig } from '../../config/load.js';
import { configOptions } from '../../config/options.js';

export default command({
  summary: 'run a master, which issues, renews and revokes credentials',
  keepsKeys: true,
  section: 'Start here',
  options: configOptions([
    'policy',
    'lifetime',
    'recovery',
    'recoveryLimit',
    'replicas',
    'maxRevocations',
    'maxRevocationsShare',
    'http',
    'logLevel',
    'home',
    'servers',
    ...TLS_SETTINGS,
    'creds',
    'systemCreds',
  ]),
  notes: `
Any number of masters share the work, and each may stop at any time. A master needs the home's signing keys, not its
identity seeds. The log goes to standard error, as JSON unless it is a terminal. Ctrl-C and SIGTERM stop the master
gracefully.`,
  examples: [
    'zester master',
    'zester master --servers tls://n1.acme:4222 tls://n2.acme:4222 --http',
    'zester master --config /etc/zester/master.yaml',
  ],
  async run(flags, { io, output }) {
    const config = await loadConfig('master', flags, io);
    const { creds, systemCreds, logLevel, policy, lifetime } = config.values;
    const { createLog } = await import('../../terminal/log.js');
    const { runMaster } = await import('../../fleet/run-master.js');
    const { contextOf } = await import('../../../master/context-of.js');
    const log = await createLog({ level: logLevel, json: output.json }, io);
    const ending = new AbortController();
    const stopListening = io.onInterrupt(() => ending.abort());
    try {
      const { openTrustDomain } = await import('../../../trust/open.js');
      const domain = await openTrustDomain(config.values.home);
      const running = await runMaster(config, log, {
        ...(creds !== undefined && { credsPath: creds }),
        ...(systemCreds !== undefined && { systemCredsPath: systemCreds }),
        ...connectionOfConfig(config.values, io, domain),
        signal: ending.signal,
      });
      const { master, http = null } = running;
      const server = contextOf(master).nc.getServer();
      output.event(
        `master ${master.id} is ready (policy ${policy}${http === null ? '' : `, ${http}/healthz`})`,
        { event: 'ready', master: master.id, server, policy, lifetime, http },
      );
      const interrupted = whenAborted(ending.signal);
      const ended = await Promise.race([interrupted.then(() => false), master.closed.then(() => true)]);
      await running.stop();
      if (ended && !ending.signal.aborted) {
        if (master.endedBy !== undefined) throw master.endedBy;
        throw new ConnectError(
          'ERR_CONNECT_UNREACHABLE',
          "the master's connection was closed permanently; see its log",
        );
      }
      output.event('master stopped', { event: 'stopped', master: master.id });
    } catch (error) {
      // interrupted before it was ready
      if (!ending.signal.aborted) throw error;
      output.event('master stopped', { event: 'stopped', master: null });
    } finally {
      stopListening();
    }
  },
});

import type { Command } from 'commander';
import { ConnectError } from '../../errors.js';
import { loadConfig, type ConfigFlags } from '../config/load.js';
import { connectionOfConfig, TLS_SETTINGS } from '../config/connection.js';
import { withConfigOptions } from '../config/options.js';
import type { CliIo } from '../io.js';
import { Output, type GlobalOptions } from '../output.js';

type Options = GlobalOptions & ConfigFlags;

/** `zester master`: a master, against servers that run elsewhere. */
export function registerMaster(parent: Command, io: CliIo): Command {
  return withConfigOptions(parent.command('master'), [
    'home',
    'servers',
    ...TLS_SETTINGS,
    'creds',
    'systemCreds',
    'policy',
    'lifetime',
    'replicas',
    'maxRevocations',
    'maxRevocationsShare',
    'http',
    'logLevel',
  ])
    .description('run a master, in the foreground: it issues, renews, accepts and revokes')
    .addHelpText(
      'after',
      `
Any number may run, of the same trust domain: they share the work, and any may end at any time. What it needs of the home
are the signing keys, not the identity seeds. It prints one line when it answers; its log goes to standard error, JSON
where that is no terminal, or with --json. Ctrl-C and SIGTERM let it answer what it was asked, and end it.

Examples:
  $ zester master
  $ zester master --servers tls://n1.acme:4222 tls://n2.acme:4222 --policy auto-trusted --http
  $ zester master --config /etc/zester/master.yaml`,
    )
    .action(async (_options, command: Command) => {
      await run(command.optsWithGlobals<Options>(), io);
    });
}

async function run(options: Options, io: CliIo): Promise<void> {
  const output = new Output(io, options);
  const config = await loadConfig('master', options, io);
  const { creds, systemCreds, logLevel } = config.values;
  const { createLog } = await import('../log.js');
  const { runMaster } = await import('../fleet/run-master.js');
  const log = await createLog({ level: logLevel, json: output.json }, io);
  const ending = new AbortController();
  const stopListening = io.onInterrupt(() => ending.abort());
  try {
    const { openTrustDomain } = await import('../../trust/open.js');
    const domain = await openTrustDomain(config.values.home);
    const running = await runMaster(config, log, {
      ...(creds !== undefined && { credsPath: creds }),
      ...(systemCreds !== undefined && { systemCredsPath: systemCreds }),
      ...connectionOfConfig(config.values, io, domain),
      signal: ending.signal,
    });
    const { master, http } = running;
    const { policy, lifetime } = config.values;
    output.event(
      `the master ${master.id} answers (policy ${policy}${http === undefined ? '' : `, ${http}/healthz`})`,
      {
        event: 'ready',
        master: master.id,
        server: master.context.nc.getServer(),
        policy,
        lifetime,
        http: http ?? null,
      },
    );
    const asked = aborted(ending.signal);
    const ended = await Promise.race([asked.then(() => false), master.closed.then(() => true)]);
    await running.stop();
    if (ended && !ending.signal.aborted) {
      if (master.endedBy !== undefined) throw master.endedBy;
      throw new ConnectError(
        'ERR_CONNECT_UNREACHABLE',
        'the connection of the master was closed for good; its log says why, and it is not started again',
      );
    }
    output.event('the master has ended', { event: 'stopped', master: master.id });
  } catch (error) {
    // asked to end before it was ready
    if (!ending.signal.aborted) throw error;
    output.event('the master has ended', { event: 'stopped', master: null });
  } finally {
    stopListening();
  }
}

/** Resolves when the signal is given. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

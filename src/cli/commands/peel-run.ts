import type { Command } from 'commander';
import { ConnectError, UsageError } from '../../errors.js';
import { loadConfig, type ConfigFlags } from '../config/load.js';
import { connectionOfConfig, TLS_SETTINGS } from '../config/connection.js';
import { withConfigOptions } from '../config/options.js';
import type { LogLevel } from '../config/settings.js';
import { exposedMode } from '../exposed-mode.js';
import type { ConnectionOf } from '../home-options.js';
import type { CliIo } from '../io.js';
import { Output, type GlobalOptions } from '../output.js';

type Options = GlobalOptions & ConfigFlags;

/** What a peel is run with. */
export interface RunPeelSettings {
  creds: string;
  connection: ConnectionOf;
  id?: string | undefined;
  rotate?: 'hitless' | 'reconnect' | undefined;
  logLevel?: LogLevel | undefined;
}

/** `zester peel run`: a peel, in the foreground. */
export function registerPeelRun(parent: Command, io: CliIo): void {
  withConfigOptions(
    parent.command('run'),
    ['creds', 'servers', ...TLS_SETTINGS, 'id', 'rotate', 'logLevel'],
    {
      hasHome: false,
    },
  )
    .description('run the peel agent in the foreground; it renews its own credential')
    .addHelpText(
      'after',
      `
Started before its server, it waits for it. What can never work ends at once: a file that is not there or is torn, another
peel's credentials, those whose time is over. It answers "zester ping" and "zester peel exec ID facts"; for handlers of
your own, make a program with startPeel of "zester/peel" (examples/fleet-agent.ts). The credential is replaced in its file
at two thirds of its lifetime, so the directory must be writable. The log goes to standard error: JSON where that is no
terminal, or with --json. Ctrl-C and SIGTERM let it finish what it was told, and it ends with 0. When a master ends it
(rejected, revoked), it ends with 3.

Examples:
  $ zester peel run --creds web-01.creds
  $ zester peel run --creds /etc/zester/peel.creds --servers tls://n1.acme:4222,tls://n2.acme:4222`,
    )
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals<Options>();
      const { values } = await loadConfig('peel', options, io);
      const { creds, id, rotate, logLevel } = values;
      if (creds === undefined) throw new UsageError('give --creds: the .creds file of this peel');
      const connection = connectionOfConfig(values, io);
      await runPeel({ creds, connection, id, rotate, logLevel }, new Output(io, options), io);
    });
}

/**
 * Runs a peel until it is told to end.
 *
 * @throws what `startPeel` throws; the error that a master ended it with; ConnectError when its connection was closed
 */
export async function runPeel(settings: RunPeelSettings, output: Output, io: CliIo): Promise<void> {
  const { creds, connection, id, rotate = 'hitless', logLevel = 'info' } = settings;
  const { createLog } = await import('../log.js');
  const { startPeel } = await import('../../peel/peel.js');
  const log = await createLog({ level: logLevel, json: output.json }, io);
  const exposed = await exposedMode(creds);
  if (exposed !== undefined) output.warn(exposed);
  const ending = new AbortController();
  const stopListening = io.onInterrupt(() => ending.abort());
  try {
    const peel = await startPeel({
      ...connection,
      credsPath: creds,
      rotate,
      logger: log,
      signal: ending.signal,
      ...(id !== undefined && { peelId: id }),
    });
    const { publicKey } = peel.credentials;
    const server = peel.nc.getServer();
    output.event(`the peel "${peel.id}" is connected to ${server}`, {
      event: 'ready',
      peelId: peel.id,
      server,
      publicKey,
    });
    const drain = (): void => void peel.drain();
    if (ending.signal.aborted) drain();
    else ending.signal.addEventListener('abort', drain, { once: true });
    const { reason, error } = await peel.closed;
    if (reason === 'ended') throw error;
    if (reason === 'failed') {
      const why = error === undefined ? '' : `: ${error.message}`;
      throw new ConnectError('ERR_CONNECT_UNREACHABLE', `the connection was closed for good${why}`, {
        cause: error,
      });
    }
    if (error !== undefined) output.warn(error.message);
    output.event(`the peel "${peel.id}" has ended`, { event: 'stopped', peelId: peel.id });
  } catch (error) {
    // asked to end before it was connected
    if (!ending.signal.aborted || error !== ending.signal.reason) throw error;
    output.event('the peel has ended', { event: 'stopped', peelId: id ?? null });
  } finally {
    stopListening();
  }
}

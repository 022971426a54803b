import { NatsServerError } from '../errors.js';
import { withHomeLock } from '../trust/lock.js';
import { ensurePrivateDirectory } from '../trust/private-files.js';
import type { TrustDomain } from '../trust/domain.js';
import { findNatsServer } from './find.js';
import { startNatsServer, type NatsServerExit, type RunningNatsServer } from './run.js';
import { writeServerConfiguration, type ServerConfigurationOptions } from './write-configuration.js';

/** Signals that mean something to a nats-server and do not end it at once: reload, and lame duck mode. */
export type PassedSignal = 'SIGHUP' | 'SIGUSR2';

/** How {@link serveTrustDomain} goes about it. */
export interface ServeOptions extends ServerConfigurationOptions {
  /** Ends the server gracefully. */
  signal: AbortSignal;
  /** Hears that the server takes clients. */
  onReady: (server: Pick<RunningNatsServer, 'url' | 'host' | 'port' | 'pid'>, configPath: string) => void;
  /** Is given the function that passes a signal on to the server; gives the one that ends the passing. */
  passSignals?: (pass: (signal: PassedSignal) => void) => () => void;
  /** Hears each line of the server's log. */
  onLog?: (line: string) => void;
  /** Hears that another command changes the home, and that this one waits. */
  onWait?: () => void;
}

/**
 * Runs the nats-server of a trust domain until it is told to end. It is not restarted when it ends by itself: whoever
 * runs this decides on that.
 *
 * @returns how the server ended, when it was told to, or was put into lame duck mode
 * @throws NatsServerError `ERR_NATS_SERVER_NOT_FOUND`, `ERR_NATS_SERVER_START`; `ERR_NATS_SERVER_ENDED` when it ended by
 *   itself; TrustError `ERR_TRUST_LOCKED` when another runs the server of this home; FileError
 */
export async function serveTrustDomain(domain: TrustDomain, options: ServeOptions): Promise<NatsServerExit> {
  const { signal, onReady, passSignals, onLog, onWait, ...configuration } = options;
  const program = await findNatsServer();
  const { serverDirectory } = domain.paths;
  await ensurePrivateDirectory(serverDirectory);
  // a lock of its own: two servers on one JetStream directory destroy it, and other commands go on beside a server
  return withHomeLock(
    serverDirectory,
    'zester server',
    async () => {
      const configPath = await writeServerConfiguration(domain, configuration);
      signal.throwIfAborted();
      const server = await startNatsServer({ configPath, program, ...(onLog && { onLog }) });
      return run(server, configPath, { signal, onReady, ...(passSignals && { passSignals }) });
    },
    { waitMs: 0, ...(onWait && { onWait }) },
  );
}

async function run(
  server: RunningNatsServer,
  configPath: string,
  { signal, onReady, passSignals }: Pick<ServeOptions, 'signal' | 'onReady' | 'passSignals'>,
): Promise<NatsServerExit> {
  let lameDuck = false;
  const stopPassing = passSignals?.((passed) => {
    lameDuck ||= passed === 'SIGUSR2';
    server.kill(passed);
  });
  const stop = () => void server.stop();
  signal.addEventListener('abort', stop, { once: true });
  try {
    if (signal.aborted) stop();
    else onReady(server, configPath);
    const exit = await server.exited;
    if (signal.aborted || lameDuck) return exit;
    throw new NatsServerError(
      'ERR_NATS_SERVER_ENDED',
      `nats-server ended by itself (${exit.signal ?? `exit code ${exit.code}`}); its log says why, and it is not started again`,
    );
  } finally {
    signal.removeEventListener('abort', stop);
    stopPassing?.();
    await server.stop();
  }
}

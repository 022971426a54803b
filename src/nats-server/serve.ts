// Runs the nats-server of a trust domain until a signal, with restarts.
import { setTimeout as delay } from 'node:timers/promises';
import { FileError, NatsServerError, ZesterError } from '../errors.js';
import { BoundedLog } from '../files/bounded-log.js';
import { withHomeLock } from '../trust/lock.js';
import { openTrustDomain } from '../trust/open.js';
import { ensurePrivateDirectory } from '../trust/private-files.js';
import type { TrustDomain } from '../trust/domain.js';
import { findNatsServer } from './find.js';
import { plainServerProblem } from './plain-server.js';
import { restartDelay } from './restart-delay.js';
import { StorageRepair } from './storage-repair.js';
import { startNatsServer, type NatsServerExit, type RunningNatsServer } from './run.js';
import { writeServerConfiguration, type ServerConfigurationOptions } from './write-configuration.js';

/** Signals with a meaning for a nats-server that do not end it at once: reload, and lame duck mode. */
export type PassedSignal = 'SIGHUP' | 'SIGUSR2';

/** The options of {@link serveTrustDomain}. */
export interface ServeOptions extends ServerConfigurationOptions {
  /** Stops the server gracefully. */
  signal: AbortSignal;
  /** Called when the server accepts clients. */
  onReady: (server: Pick<RunningNatsServer, 'url' | 'host' | 'port' | 'pid'>, configPath: string) => void;
  /** Receives the function that passes a signal to the server; returns the one that stops the passing. */
  passSignals?: (pass: (signal: PassedSignal) => void) => () => void;
  /** Called with each line of the server's log, which is also in the home (`paths.serverLog`). */
  onLog?: (line: string) => void;
  /** Restart the server if it stops by itself, at the same port; false by default. */
  restart?: boolean;
  /** Called first when the server has stopped. */
  onEnded?: () => void;
  /** Called when it stopped or failed to restart, with the milliseconds until the next start. */
  onRestart?: (error: ZesterError, delayMs: number) => void;
  /**
   * Called when JetStream has stopped writing, as on a full disk, with the server's message. Once the disk has room,
   * the server is restarted even without `restart`: it would not resume writing by itself.
   */
  onStorageFailure?: (reason: string) => void;
  /** Called when this command waits for another one that changes the home. */
  onWait?: () => void;
}

/**
 * Runs the nats-server of a trust domain until it is stopped. Its log is in the home, and stays small. With
 * `restart`, a server that stops by itself is restarted, with backoff up to 30 s; the first start must succeed. A
 * server whose JetStream has stopped writing is restarted in any case, once the disk has room.
 *
 * @returns how the server ended, if it was stopped or put into lame duck mode
 * @throws NatsServerError `ERR_NATS_SERVER_OPTIONS` when no command of this home could use the server;
 *   `ERR_NATS_SERVER_NOT_FOUND`, `ERR_NATS_SERVER_START`; `ERR_NATS_SERVER_ENDED` when it stopped by itself; TrustError
 *   `ERR_TRUST_LOCKED` when another process runs the server of this home; FileError
 */
export async function serveTrustDomain(domain: TrustDomain, options: ServeOptions): Promise<NatsServerExit> {
  const { onWait, ...rest } = options;
  const problem = options.tls === undefined ? plainServerProblem(domain) : undefined;
  if (problem !== undefined) {
    throw new NatsServerError(
      'ERR_NATS_SERVER_OPTIONS',
      `${problem}: run "zester server --tls-cert FILE --tls-key FILE", and "zester master" instead of "zester up"`,
    );
  }
  const program = await findNatsServer();
  const { serverDirectory, serverLog } = domain.paths;
  await ensurePrivateDirectory(serverDirectory);
  // a separate lock: two servers on one JetStream directory destroy it, but other commands may run at the same time
  return withHomeLock(
    serverDirectory,
    'zester server',
    async () => {
      const log = await BoundedLog.open(serverLog).catch((cause: unknown) => {
        if (cause instanceof FileError) throw cause;
        const why = (cause as NodeJS.ErrnoException).code ?? String(cause);
        throw new FileError('ERR_FILE_WRITE', serverLog, `cannot write ${serverLog}: ${why}`, { cause });
      });
      try {
        return await keepRunning(domain, program, log, rest);
      } finally {
        await log.close();
      }
    },
    { waitMs: 0, ...(onWait && { onWait }) },
  );
}

async function keepRunning(
  domain: TrustDomain,
  program: string,
  log: BoundedLog,
  options: Omit<ServeOptions, 'onWait'>,
): Promise<NatsServerExit> {
  const { signal, onReady, passSignals, onLog, restart, onRestart, onEnded, ...rest } = options;
  const { onStorageFailure, ...configuration } = rest;
  let { port } = configuration;
  let home = domain;
  let readyAt: number | undefined;
  let delayMs: number | undefined;
  /** True from a restart that repairs JetStream until the server is ready. */
  let isRepairing = false;
  const startOne = async () => {
    readyAt = undefined;
    const configPath = await writeServerConfiguration(home, {
      ...configuration,
      ...(port !== undefined && { port }),
    });
    signal.throwIfAborted();
    const repair = new StorageRepair(home.paths.serverJetStreamDirectory, (reason) => {
      log.write('zester: JetStream has stopped writing; nats-server is restarted once the disk has room');
      onStorageFailure?.(reason);
    });
    try {
      const server = await startNatsServer({
        configPath,
        program,
        onLog: (line) => {
          log.write(line);
          onLog?.(line);
          repair.see(line);
        },
      });
      readyAt = performance.now();
      isRepairing = false;
      // clients know it by this port
      port = server.port;
      return await run(server, {
        signal,
        log,
        repair,
        onReady: (it) => onReady(it, configPath),
        ...(passSignals && { passSignals }),
        ...(onEnded && { onEnded }),
      });
    } finally {
      repair.stop();
      isRepairing ||= repair.isDue;
    }
  };
  for (let isFirst = true; ; isFirst = false) {
    try {
      // keys that were added meanwhile
      if (!isFirst) home = await openTrustDomain(domain.home);
      return await startOne();
    } catch (error) {
      const isOurs = error instanceof ZesterError;
      const again = (restart === true && !(isFirst && readyAt === undefined)) || isRepairing;
      if (!again || !isOurs || signal.aborted) throw error;
      delayMs = restartDelay(delayMs, readyAt === undefined ? 0 : performance.now() - readyAt);
      log.write(`zester: ${error.message}; restarting it in ${delayMs / 1000} s`);
      onRestart?.(error, delayMs);
      await delay(delayMs, undefined, { signal }).catch(() => undefined);
      signal.throwIfAborted();
    }
  }
}

interface RunOptions extends Pick<ServeOptions, 'signal' | 'passSignals' | 'onEnded'> {
  log: BoundedLog;
  repair: StorageRepair;
  onReady: (server: RunningNatsServer) => void;
}

async function run(
  server: RunningNatsServer,
  { signal, log, repair, onReady, passSignals, onEnded }: RunOptions,
): Promise<NatsServerExit> {
  let lameDuck = false;
  const stopPassing = passSignals?.((passed) => {
    lameDuck ||= passed === 'SIGUSR2';
    server.kill(passed);
  });
  const stop = () => void server.stop();
  void repair.due.then(stop);
  signal.addEventListener('abort', stop, { once: true });
  try {
    if (signal.aborted) stop();
    else onReady(server);
    const exit = await server.exited;
    onEnded?.();
    if (signal.aborted || lameDuck) return exit;
    if (repair.isDue)
      throw new NatsServerError(
        'ERR_NATS_SERVER_ENDED',
        `nats-server was stopped: the disk has room again, but JetStream would not write before a restart (${repair.failure ?? ''})`,
      );
    await log.flush();
    const words = server.lastWords();
    throw new NatsServerError(
      'ERR_NATS_SERVER_ENDED',
      `nats-server stopped by itself (${exit.signal ?? `exit code ${exit.code}`}); its log is ${log.path}` +
        (words === undefined ? '' : `, which ends with: ${words}`),
    );
  } finally {
    signal.removeEventListener('abort', stop);
    stopPassing?.();
    await server.stop();
  }
}

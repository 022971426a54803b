// `zester up`: run a whole fleet: trust domain, nats-server and master.
import type { MasterLogger } from '../../master/logger.js';
import type { ServerLogLine } from '../../nats-server/log-line.js';
import type { ServeOptions } from '../../nats-server/serve.js';
import type { TrustDomain } from '../../trust/domain.js';
import type { NothingContext } from '../command/base-context.js';
import { command } from '../command/declaration.js';
import { flag } from '../command/option.js';
import { loadConfig, type Config } from '../config/load.js';
import { configOptions } from '../config/options.js';
import type { RunningMaster } from '../fleet/run-master.js';
import type { CliIo } from '../terminal/io.js';
import type { Output } from '../terminal/output.js';

export default command({
  summary: 'run a whole fleet: trust domain, nats-server and master',
  keepsKeys: true,
  section: 'Start here',
  options: {
    ...configOptions([
      'home',
      'host',
      'port',
      'policy',
      'lifetime',
      'recovery',
      'recoveryLimit',
      'maxRevocations',
      'maxRevocationsShare',
      'http',
      'logLevel',
    ]),
    ui: flag('--ui', 'also serve the web page, like "zester ui"'),
    restart: flag('--restart', 'restart the nats-server if it stops by itself'),
  },
  notes: `
Creates the home if there is none, and prints one line when the master is ready. The log goes to standard error, as JSON
unless it is a terminal; the server's log is also in the home. Ctrl-C and SIGTERM stop the master, then the server.

If the server stops by itself, the command exits with 1 and names the log; --restart restarts it, with backoff from 0.5
to 30 s. If JetStream stops writing, as on a full disk, the server is restarted in any case once the disk has room. For
more than one machine, run nats-servers ("zester server config") and "zester master". "zester config show" explains the
settings.`,
  examples: [
    'zester up',
    'zester up --ui',
    'zester up --policy auto-trusted --lifetime 1h --http',
    'zester up --home /srv/zester --port 5222 --restart',
  ],
  async run({ restart, ui, ...flags }, context) {
    await up(await loadConfig('master', flags, context.io), { restart, ui }, context);
  },
});

/** The options of `up` in addition to the settings. */
interface UpOptions {
  restart: boolean;
  ui: boolean;
}

async function up(config: Config, { restart, ui }: UpOptions, { io, output }: NothingContext): Promise<void> {
  const { createLog } = await import('../terminal/log.js');
  const { serveTrustDomain } = await import('../../nats-server/serve.js');
  const { readServerLogLine } = await import('../../nats-server/log-line.js');
  const log = await createLog({ level: config.values.logLevel, json: output.json }, io);
  const domain = await homeFor(config, log, io);
  const { host, port } = await endpointOf(config, domain, log);
  const stopRequest = new AbortController();
  const stopServer = new AbortController();
  let master: Promise<RunningMaster> | undefined;
  let failure: unknown;
  let serverIsUp = false;
  let serversEnded = 0;
  const page = new PageOf(domain.home, { log, io, output });
  const stopMaster = async () => {
    page.stop();
    const running = await master?.catch(() => undefined);
    // without a server there is nothing to notify or wait for
    await running?.stop(serverIsUp ? {} : { waitMs: 0 });
  };
  // the master first: it answers pending requests, and records its decisions
  const endBoth = async () => {
    await stopMaster();
    stopServer.abort();
  };
  const beginOn = (url: string) => {
    if (master !== undefined || stopRequest.signal.aborted) return;
    const ended = serversEnded;
    const signal = AbortSignal.any([stopRequest.signal, stopServer.signal]);
    master = begin(config, url, domain, { log, output, signal });
    master.catch((error: unknown) => {
      master = undefined;
      // a master whose server stopped during its start restarts with the next server
      if (serversEnded > ended) {
        if (serverIsUp) beginOn(url);
        return;
      }
      failure = error;
      stopServer.abort();
    });
    if (ui) void page.startAfter(master, url);
    // a restart does not help if the server is too old
    void whenEnded(master, (error) => {
      if (error === undefined || stopRequest.signal.aborted) return;
      failure = error;
      stopServer.abort();
    });
  };
  const stopListening = io.onInterrupt(() => {
    stopRequest.abort();
    void endBoth();
  });
  try {
    const exit = await serveTrustDomain(domain, {
      host,
      port,
      signal: stopServer.signal,
      restart: restart,
      onReady: ({ url }) => {
        serverIsUp = true;
        log.info({ url }, 'nats-server accepts clients');
        beginOn(url);
      },
      ...serverReports(log),
      onLog: (line) => logOfServer(log, readServerLogLine(line)),
      onEnded: () => {
        serverIsUp = false;
        serversEnded += 1;
      },
    });
    if (failure !== undefined && !stopRequest.signal.aborted) throw failure;
    output.event('stopped', { event: 'stopped', ...exit });
  } catch (error) {
    serverIsUp = false;
    stopServer.abort(); // a starting master does not wait for it
    await stopMaster();
    if (!stopRequest.signal.aborted || failure !== undefined) throw error;
  } finally {
    stopListening();
  }
}

/** Returns why a master stopped by itself; undefined: it was stopped. A failed start is reported elsewhere. */
async function whenEnded(
  starting: Promise<RunningMaster>,
  onEnd: (error: RunningMaster['master']['endedBy']) => void,
): Promise<void> {
  const running = await starting.catch(() => undefined);
  if (running === undefined) return;
  await running.master.closed;
  onEnd(running.master.endedBy);
}

/** The page of `--ui`: started once, when the first master is ready. */
class PageOf {
  readonly #home: string;
  readonly #with: { log: MasterLogger } & Pick<NothingContext, 'io' | 'output'>;
  readonly #stopped = new AbortController();
  #started = false;

  constructor(home: string, using: { log: MasterLogger } & Pick<NothingContext, 'io' | 'output'>) {
    this.#home = home;
    this.#with = using;
  }

  /** If the page fails, the fleet keeps running: logs the failure. */
  async startAfter(master: Promise<RunningMaster>, url: string): Promise<void> {
    if ((await master.catch(() => undefined)) === undefined) return;
    if (this.#started || this.#stopped.signal.aborted) return;
    this.#started = true;
    const { log, io, output } = this.#with;
    try {
      const { servePageOf } = await import('../serve/serve-page-of.js');
      await servePageOf({ home: this.#home, servers: [url], log, signal: this.#stopped.signal }, io, output);
    } catch (error) {
      const { errorMessage } = await import('../../text/error-message.js');
      log.error({ reason: errorMessage(error) }, 'the page is not served: run "zester ui"');
    }
  }

  stop(): void {
    this.#stopped.abort();
  }
}

function logOfServer(log: MasterLogger, { level, text }: ServerLogLine): void {
  log[level]({ from: 'nats-server' }, text);
}

/** The log messages of server restarts. */
function serverReports(log: MasterLogger): Pick<ServeOptions, 'onStorageFailure' | 'onRestart'> {
  return {
    onStorageFailure: (reason) =>
      log.error({ reason }, 'JetStream has stopped writing; the server is restarted once the disk has room'),
    onRestart: ({ message }, delayMs) =>
      log.error({ delayMs }, `${message}; restarting it in ${delayMs / 1000} s`),
  };
}

/** The address of the server. Logs a warning if other machines can reach it. */
async function endpointOf(
  { values }: Config,
  domain: TrustDomain,
  log: MasterLogger,
): Promise<{ host: string; port: number }> {
  const { localEndpoint } = await import('../../nats-server/write-configuration.js');
  const { CLIENT_PORT, isLoopback } = await import('../../connection/server-urls.js');
  const local = localEndpoint(domain);
  const host = values.host ?? local?.host ?? '127.0.0.1';
  if (!isLoopback(host)) {
    log.warn(
      { host },
      'reachable from other machines, and traffic is not encrypted: see "zester server --tls-cert"',
    );
  }
  return { host, port: values.port ?? local?.port ?? CLIENT_PORT };
}

async function begin(
  config: Config,
  url: string,
  domain: TrustDomain,
  { log, output, signal }: { log: MasterLogger; output: Output; signal: AbortSignal },
): Promise<RunningMaster> {
  const { runMaster } = await import('../fleet/run-master.js');
  const running = await runMaster(config, log, { servers: [url], signal });
  const { policy, lifetime } = config.values;
  const { master, http } = running;
  if (!signal.aborted) {
    output.event(
      `ready: server ${url}, home ${domain.home}, policy ${policy}${http === undefined ? '' : `, ${http}/metrics`}`,
      { event: 'ready', url, home: domain.home, master: master.id, policy, lifetime, http: http ?? null },
    );
  }
  return running;
}

/** The home, created if missing. */
async function homeFor({ values }: Config, log: MasterLogger, io: CliIo): Promise<TrustDomain> {
  const { home, host, port } = values;
  const { createTrustDomain } = await import('../../trust/create/create.js');
  const { pathExists } = await import('../../trust/private-files.js');
  const { trustPaths } = await import('../../trust/paths.js');
  const there = pathExists(trustPaths(home).settings);
  // other commands find the server's address in the home
  const url = port === undefined || port === -1 ? undefined : `nats://${hostInUrl(host)}:${port}`;
  const domain = await createTrustDomain(home, {
    now: io.now,
    ...(!there && url !== undefined && { servers: [url] }),
  });
  if (!there) log.info({ home: domain.home }, 'created a trust domain');
  return domain;
}

function hostInUrl(host = '127.0.0.1'): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}

// Starts a nats-server process, and waits until it is ready.
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { NatsServerError } from '../errors.js';
import { readTextFile } from '../files/read-small-file.js';
import { findNatsServer } from './find.js';
import { watchOver } from './watchdog.js';
import { SERVER_READY_POLL_MS, SERVER_READY_TIMEOUT_MS, SERVER_STOP_TIMEOUT_MS } from '../timing.js';

/** The options of {@link startNatsServer}. */
export interface StartNatsServerOptions {
  /** The configuration file. */
  configPath: string;
  /** The program; found by `findNatsServer` by default. */
  program?: string;
  /** The directory to run in. */
  cwd?: string;
  /** Time limit until it accepts clients, in milliseconds; 20,000 by default. */
  readyTimeoutMs?: number;
  /** Called with each line of the server's log. */
  onLog?: (line: string) => void;
  extraArgs?: readonly string[];
}

/** The exit of a server. */
export interface NatsServerExit {
  /** Its exit code; null if a signal killed it. */
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** A `nats-server` that this process runs. It ends with this process, however this process ends. */
export interface RunningNatsServer {
  /** For clients, such as `nats://127.0.0.1:4222`. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /** The port for the other servers of a cluster. */
  readonly clusterPort: number | undefined;
  readonly pid: number;
  /** Resolves when the server has ended, whatever the reason, and its log was read to the end. */
  readonly exited: Promise<NatsServerExit>;
  /** The last error in its log, otherwise its last line, without the time. */
  lastWords(): string | undefined;
  /** Stops it gracefully; with SIGKILL if it takes longer than `timeoutMs` (10,000 by default). May be called twice. */
  stop(timeoutMs?: number): Promise<NatsServerExit>;
  /** Sends it a signal without waiting. */
  kill(signal: NodeJS.Signals): void;
}

/**
 * Starts the real `nats-server`, and resolves when it accepts clients.
 *
 * @throws NatsServerError `ERR_NATS_SERVER_NOT_FOUND`; `ERR_NATS_SERVER_START`, with the server's own message, when it
 *   exits before it is ready or is not ready in time
 */
export async function startNatsServer(options: StartNatsServerOptions): Promise<RunningNatsServer> {
  const program = options.program ?? (await findNatsServer());
  const portsDirectory = await mkdtemp(join(tmpdir(), 'zester-nats-'));
  const removePorts = () => rm(portsDirectory, { recursive: true, force: true });
  const child = spawn(
    program,
    ['-c', options.configPath, '--ports_file_dir', portsDirectory, ...(options.extraArgs ?? [])],
    {
      ...(options.cwd !== undefined && { cwd: options.cwd }),
      stdio: ['ignore', 'pipe', 'pipe'],
      // its own session: a Ctrl-C on the terminal goes to this process, which decides how to stop the server
      detached: true,
    },
  );
  const log = collectLog(child, options.onLog);
  const exited = endOf(child, removePorts);
  try {
    const pid = await spawned(child, program);
    const dismiss = watchOver(pid, portsDirectory);
    void exited.then(dismiss);
    const ports = await readyPorts(child, portsDirectory, exited, options, log);
    return running(child, pid, ports, exited, log);
  } catch (error) {
    child.kill('SIGKILL');
    await (child.pid === undefined ? removePorts() : exited);
    throw error;
  }
}

/** The last lines of the log, to quote from when the start fails. */
interface Log {
  lastError(): string | undefined;
  /** Resolves when the log has been read to its end. */
  ended: Promise<unknown>;
}

function collectLog(child: ChildProcess, onLog: ((line: string) => void) | undefined): Log {
  const recent: string[] = [];
  const ended = [child.stdout, child.stderr].map((stream) => {
    if (stream === null) return Promise.resolve();
    const lines = createInterface({ input: stream });
    lines.on('line', (line) => {
      if (line.trim() === '') return;
      recent.push(line);
      if (recent.length > 50) recent.shift();
      onLog?.(line);
    });
    return new Promise<void>((resolve) => lines.once('close', resolve));
  });
  return {
    ended: Promise.all(ended),
    lastError: () => {
      const line = recent.findLast((l) => /\[(FTL|ERR)\]/.test(l)) ?? recent.at(-1);
      // the process ID and the time before it do not help the reader
      return line?.replace(/^\[\d+\] [\d/]+ [\d:.]+ \[[A-Z]{3}\] /, '').replace(/^nats-server: /, '');
    },
  };
}

function endOf(child: ChildProcess, removePorts: () => Promise<void>): Promise<NatsServerExit> {
  return new Promise((resolve) => {
    // not 'exit': its log has been read then
    child.once('close', (code, signal) => {
      void removePorts()
        .catch(() => undefined)
        .then(() => resolve({ code, signal }));
    });
  });
}

function spawned(child: ChildProcess, program: string): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('spawn', () => resolve(child.pid ?? 0));
    child.once('error', (cause) =>
      reject(
        new NatsServerError('ERR_NATS_SERVER_START', `cannot run ${program}: ${cause.message}`, { cause }),
      ),
    );
  });
}

/** The relevant part of the server's ports file. */
interface Ports {
  nats: string;
  cluster: string | undefined;
}

/** The server writes the file once it accepts clients; it does not matter where its log goes. */
async function readyPorts(
  child: ChildProcess,
  portsDirectory: string,
  exited: Promise<NatsServerExit>,
  options: StartNatsServerOptions,
  log: Log,
): Promise<Ports> {
  const timeoutMs = options.readyTimeoutMs ?? SERVER_READY_TIMEOUT_MS;
  const deadline = Date.now() + timeoutMs;
  while (Date.now() < deadline) {
    const ports = await readPorts(portsDirectory);
    if (ports !== undefined) return ports;
    if (child.exitCode !== null || child.signalCode !== null) {
      const { code, signal } = await exited;
      await log.ended;
      throw startError(
        options.configPath,
        `it ended ${signal === null ? `with exit code ${code}` : `by ${signal}`}`,
        log,
      );
    }
    await delay(SERVER_READY_POLL_MS);
  }
  throw startError(options.configPath, `it did not accept clients within ${timeoutMs} ms`, log);
}

function startError(configPath: string, what: string, log: Log): NatsServerError {
  const lastError = log.lastError();
  return new NatsServerError(
    'ERR_NATS_SERVER_START',
    `nats-server did not start with ${configPath}: ${what}${lastError === undefined ? '' : `, and says: ${lastError}`}`,
  );
}

const MAX_PORTS_BYTES = 64 * 1024;

/** The server names the file after its program and its process, so any file in its directory will do. */
async function readPorts(directory: string): Promise<Ports | undefined> {
  try {
    const name = (await readdir(directory)).find((entry) => entry.endsWith('.ports'));
    if (name === undefined) return undefined;
    const parsed = JSON.parse((await readTextFile(join(directory, name), MAX_PORTS_BYTES)) ?? '') as {
      nats?: string[];
      cluster?: string[];
    };
    const [nats] = parsed.nats ?? [];
    return nats === undefined ? undefined : { nats, cluster: parsed.cluster?.[0] };
  } catch {
    return undefined; // not yet whole
  }
}

function running(
  child: ChildProcess,
  pid: number,
  ports: Ports,
  exited: Promise<NatsServerExit>,
  log: Log,
): RunningNatsServer {
  const { hostname, port } = new URL(ports.nats);
  return {
    url: ports.nats,
    host: hostname.replace(/^\[|\]$/g, ''),
    port: Number(port),
    clusterPort: ports.cluster === undefined ? undefined : Number(new URL(ports.cluster).port),
    pid,
    exited,
    lastWords: () => log.lastError(),
    kill: (signal) => void child.kill(signal),
    async stop(timeoutMs = SERVER_STOP_TIMEOUT_MS) {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
      try {
        return await exited;
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

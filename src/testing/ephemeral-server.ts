// A nats-server process of a test, which keeps its ports and directories over restarts.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { NatsServerError } from '../errors.js';
import { startNatsServer, type RunningNatsServer } from '../nats-server/run.js';
import { freePort } from './free-ports.js';
import { waitFor } from './wait-for.js';

/**
 * A real nats-server on loopback that keeps its configuration, ports and data across restarts. It ends with the
 * test's process.
 *
 * @example
 * import { startTestServer } from 'zester/testing';
 *
 * const server = await startTestServer();
 * try {
 *   await server.process.kill(); // as a power cut does
 *   console.log(server.process.isRunning); // false
 *   await server.process.start(); // same port, same data
 *   await server.process.logged(/Server is ready/);
 *   const nc = await server.connect(await server.peelCreds('web-01'));
 *   await nc.close();
 *   await server.process.restart();
 *   await server.process.stop();
 * } finally {
 *   await server.close();
 * }
 */
export class EphemeralServer {
  /** Its configuration file: a test's changes apply from the next start on. */
  readonly configPath: string;
  readonly port: number;
  /** For clients, such as `nats://127.0.0.1:12345`. */
  readonly url: string;
  /** The nats-server program of the next start; undefined: the one that `ZESTER_NATS_SERVER` names or the `PATH` has. */
  program: string | undefined;
  /** Every line of its log so far. */
  readonly log: string[] = [];
  #running: RunningNatsServer | undefined;

  /** @internal */
  constructor(configPath: string, port: number, program?: string) {
    this.configPath = configPath;
    this.port = port;
    this.program = program;
    this.url = `nats://127.0.0.1:${port}`;
  }

  /** Whether it is running. */
  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  /** The process ID. Throws if the server is not running. */
  get pid(): number {
    return this.#live().pid;
  }

  /**
   * Starts it; resolves when it accepts clients.
   *
   * @throws NatsServerError `ERR_NATS_SERVER_START`, with the server's own words
   */
  async start(): Promise<void> {
    if (this.#running !== undefined) throw new Error('the server runs already');
    this.#running = await startNatsServer({
      configPath: this.configPath,
      ...(this.program !== undefined && { program: this.program }),
      onLog: (line) => this.log.push(line),
    });
  }

  /** Stops it gracefully, if it is running. */
  async stop(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    await running?.stop();
  }

  /** Kills it with a signal (SIGKILL: like a power cut) and waits for its end. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const running = this.#live();
    this.#running = undefined;
    running.kill(signal);
    await running.exited;
  }

  /** Stops and starts it: same configuration, same ports, same data. */
  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  /** Resolves with the first matching line of its log, past or future. */
  logged(pattern: RegExp, timeoutMs?: number): Promise<string> {
    return waitFor(`the log line ${pattern}`, () => this.log.find((line) => pattern.test(line)), timeoutMs);
  }

  /** The same as `stop()`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #live(): RunningNatsServer {
    if (this.#running === undefined) throw new Error('the server does not run');
    return this.#running;
  }
}

/** Maximum retries with another port, if another process takes it before the start. */
const MAX_PORTS_TRIED = 5;

/**
 * Writes a configuration and starts a server with it, on a free port that the server keeps. If another process takes
 * the port before the start, the next one is tried.
 *
 * @param configuration the text for a port
 */
export async function startEphemeralServer(
  directory: string,
  configuration: (port: number) => string,
  program?: string,
): Promise<EphemeralServer> {
  return retryPorts(async () => {
    const port = await freePort();
    const configPath = join(directory, 'nats-server.conf');
    await writeFile(configPath, configuration(port), { mode: 0o600 });
    const server = new EphemeralServer(configPath, port, program);
    await server.start();
    return server;
  });
}

/** Retries with other ports if one was taken in between. */
export async function retryPorts<T>(start: (attempt: number) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await start(attempt);
    } catch (error) {
      if (attempt === MAX_PORTS_TRIED || !isPortTaken(error)) throw error;
    }
  }
}

function isPortTaken(error: unknown): boolean {
  return error instanceof NatsServerError && error.message.includes('address already in use');
}

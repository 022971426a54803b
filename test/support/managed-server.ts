import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { NatsServerError } from '../../src/errors.js';
import { startNatsServer, type RunningNatsServer } from '../../src/nats-server/run.js';
import { atEnd } from './cleanup.js';
import { freePorts } from './free-port.js';
import { waitFor } from './wait-for.js';

/** A nats-server of a test, which keeps its configuration, ports and directories over restarts. */
export class ManagedServer {
  readonly configPath: string;
  readonly port: number;
  readonly url: string;
  /** The program of the next start; undefined: the one that is tested. */
  program: string | undefined;
  /** Every line of its log so far. */
  readonly log: string[] = [];
  #running: RunningNatsServer | undefined;

  constructor(configPath: string, port: number, program?: string) {
    this.configPath = configPath;
    this.port = port;
    this.program = program;
    this.url = `nats://127.0.0.1:${port}`;
  }

  /** Whether it was started and not stopped or killed since. */
  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  get pid(): number {
    return this.#live().pid;
  }

  /** Starts it; resolves when it takes clients. */
  async start(): Promise<void> {
    if (this.#running !== undefined) throw new Error('the server runs already');
    this.#running = await startNatsServer({
      configPath: this.configPath,
      ...(this.program !== undefined && { program: this.program }),
      onLog: (line) => this.log.push(line),
    });
  }

  /** Stops it gracefully, if it runs. */
  async stop(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    await running?.stop();
  }

  /** Ends it with a signal (SIGKILL: as a power cut does) and waits for that. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const running = this.#live();
    this.#running = undefined;
    running.kill(signal);
    await running.exited;
  }

  /** Stops and starts it: same configuration, same ports, same directories. */
  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  /** Resolves with the first line of its log, so far or to come, that matches. */
  logged(pattern: RegExp, timeoutMs?: number): Promise<string> {
    return waitFor(`the log line ${pattern}`, () => this.log.find((line) => pattern.test(line)), timeoutMs);
  }

  #live(): RunningNatsServer {
    if (this.#running === undefined) throw new Error('the server does not run');
    return this.#running;
  }
}

/**
 * Writes a configuration and starts a server on it, with a port that is free and stays the server's. Another process may
 * take the port in between; then the next is tried.
 *
 * @param configuration the text for a port
 */
export async function startManaged(
  directory: string,
  configuration: (port: number) => string,
): Promise<ManagedServer> {
  for (let attempt = 1; ; attempt++) {
    const [port = 0] = await freePorts(1);
    const configPath = join(directory, 'nats-server.conf');
    await writeFile(configPath, configuration(port), { mode: 0o600 });
    const server = new ManagedServer(configPath, port);
    try {
      await server.start();
      atEnd(() => server.stop());
      return server;
    } catch (error) {
      if (attempt === 5 || !isPortTaken(error)) throw error;
    }
  }
}

export function isPortTaken(error: unknown): boolean {
  return error instanceof NatsServerError && error.message.includes('address already in use');
}

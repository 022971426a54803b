import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { atEnd } from '../../support/cleanup.js';
import { tsProgram } from '../../support/ts-program.js';
import { waitFor } from '../../support/wait-for.js';

/** To be preloaded with `--import`, for {@link Program.heapUsed}. */
export const HEAP_PROBE = fileURLToPath(new URL('../../support/heap-probe.mjs', import.meta.url));

/** A program that can be killed and restarted, and its output. */
export class Program {
  readonly name: string;
  readonly #args: readonly string[];
  readonly #ready: RegExp;
  #child: ChildProcess | undefined;
  output = '';

  constructor(name: string, args: readonly string[], ready: RegExp) {
    this.name = name;
    this.#args = args;
    this.#ready = ready;
    atEnd(() => this.kill());
  }

  get pid(): number {
    const pid = this.#child?.pid;
    if (pid === undefined) throw new Error(`${this.name} does not run`);
    return pid;
  }

  async start(): Promise<void> {
    const child = spawn(process.execPath, this.#args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    const from = this.output.length;
    let ended = false;
    child.stdout.on('data', (data: Buffer) => (this.output += data.toString()));
    child.stderr.on('data', (data: Buffer) => (this.output += data.toString()));
    await waitFor(
      `${this.name} to be ready`,
      () => {
        if (child.exitCode !== null) ended = true;
        return ended || this.#child !== child || this.#ready.test(this.output.slice(from));
      },
      60_000,
    ).catch((error: unknown) => {
      throw new Error(`it says: ${this.output.slice(from).slice(-3_000)}`, { cause: error });
    });
    if (ended) throw new Error(`${this.name} ended by itself: ${this.output.slice(from).slice(-3_000)}`);
  }

  /** The bytes that are alive after a garbage collection, of a program with {@link HEAP_PROBE}. */
  async heapUsed(): Promise<number> {
    const from = this.output.length;
    process.kill(this.pid, 'SIGUSR2');
    const used = await waitFor(`the heap of the ${this.name}`, () =>
      /\{"heapUsed":(\d+)\}/.exec(this.output.slice(from))?.at(1),
    );
    return Number(used);
  }

  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'close');
  }
}

/** Many peels in one program, which prints their events as JSON lines (peel-host.ts). */
export function peelHost(
  name: string,
  servers: readonly string[],
  files: readonly string[],
  nodeArgs: readonly string[] = [],
): Program {
  const script = fileURLToPath(new URL('./peel-host.ts', import.meta.url));
  return new Program(name, [...nodeArgs, tsProgram(script), servers.join(','), ...files], /"type":"all"/);
}

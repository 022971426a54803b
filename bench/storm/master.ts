// The master of a storm: `zester master`, a process of its own.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';

/** A `zester master` whose log, memory and metrics are read. */
export class StormMaster {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  readonly #http: string;
  readonly #warnings: Map<string, number>;

  private constructor(
    child: ChildProcess,
    ended: Promise<unknown>,
    http: string,
    warnings: Map<string, number>,
  ) {
    this.#child = child;
    this.#ended = ended;
    this.#http = http;
    this.#warnings = warnings;
  }

  /** Resolves when it answers. */
  static async start(home: string, servers: readonly string[], signal: AbortSignal): Promise<StormMaster> {
    const child = spawn(
      process.execPath,
      [
        ...[resolve('dist/cli/main.js'), 'master', '--home', home, '--servers', ...servers],
        ...['--policy', 'manual', '--log-level', 'warn', '--http', '127.0.0.1:0', '--json'],
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    const ended = once(child, 'exit');
    const warnings = new Map<string, number>();
    createInterface({ input: child.stderr }).on('line', (line) => {
      const said = messageOf(line);
      warnings.set(said, (warnings.get(said) ?? 0) + 1);
    });
    try {
      const ready = once(createInterface({ input: child.stdout }), 'line', { signal }) as Promise<[string]>;
      const over = ended.then(() => {
        throw new Error(`the master ended: ${[...warnings.keys()].join('; ')}`);
      });
      const [line] = await Promise.race([ready, over]);
      const { http } = JSON.parse(line) as { http: string };
      return new StormMaster(child, ended, http, warnings);
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    }
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** What it logged as a warning or an error, and how often. */
  get warnings(): ReadonlyMap<string, number> {
    return this.#warnings;
  }

  /** The most memory that it ever had, in kilobytes. */
  peakMemory(): number {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${this.pid}/status`, 'utf8'))?.[1] ?? NaN);
  }

  /** How many connections it has refused. */
  async refused(): Promise<number> {
    const text = await (await fetch(`${this.#http}/metrics`)).text();
    return [...text.matchAll(/^zester_master_connections_refused_total\S* (\d+)/gm)].reduce(
      (sum, [, count]) => sum + Number(count),
      0,
    );
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), 10_000);
    await this.#ended;
    clearTimeout(timer);
  }
}

function messageOf(line: string): string {
  try {
    const { msg, level } = JSON.parse(line) as { msg?: string; level?: string | number };
    return msg === undefined ? line : `${level}: ${msg}`;
  } catch {
    return line;
  }
}

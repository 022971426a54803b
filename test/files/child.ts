import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { tsProgram } from '../support/ts-program.js';
import { childInput } from '../support/child-input.js';

/** A running program of `children/`. */
export interface Child {
  process: ChildProcessByStdio<Writable, Readable, null>;
  /** The next line of its output; undefined at the end. */
  nextLine(): Promise<string | undefined>;
  /** Closes its standard input, reads the rest of its output, and waits until it exits. */
  finish(): Promise<{ lines: string[]; code: number | null; signal: NodeJS.Signals | null }>;
  kill(): Promise<void>;
}

/** Starts `children/<name>.ts`. Its standard error is that of the tests. */
export function startChild(name: string, ...args: string[]): Child {
  const script = fileURLToPath(new URL(`./children/${name}.ts`, import.meta.url));
  const child = spawn(process.execPath, [tsProgram(script), ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const nextLine = async (): Promise<string | undefined> => {
    const { done, value } = (await lines.next()) as IteratorResult<string, undefined>;
    return done === true ? undefined : value;
  };
  return {
    process: child,
    nextLine,
    async finish() {
      childInput(child).end();
      const rest: string[] = [];
      for (let line = await nextLine(); line !== undefined; line = await nextLine()) rest.push(line);
      const [code, signal] = await exited;
      return { lines: rest, code, signal };
    },
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

/** Runs `children/<name>.ts` until it exits, and parses its last line of output. */
export async function runChild<T>(name: string, ...args: string[]): Promise<T> {
  const { lines, code } = await startChild(name, ...args).finish();
  if (code !== 0) throw new Error(`${name} ended with ${code}`);
  return JSON.parse(lines.at(-1) ?? '') as T;
}

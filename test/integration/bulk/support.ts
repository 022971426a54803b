import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { atEnd } from '../../support/cleanup.js';
import { ZESTER } from '../../support/zester-command.js';
import { childInput } from '../../support/child-input.js';

/** The command, running as a separate process. */
export interface RunningZester {
  process: ChildProcess;
  /** The result. */
  ended: Promise<{ code: number | null; signal: NodeJS.Signals | null; stdout: string; stderr: string }>;
}

/**
 * Starts `zester` with these arguments.
 *
 * @param stdin its input; empty by default; null: the test writes it
 * @param env additional variables
 */
export function startZester(
  args: readonly string[],
  stdin: string | null = '',
  env: Readonly<Record<string, string>> = {},
): RunningZester {
  const child = spawn(process.execPath, [...ZESTER, ...args], {
    stdio: 'pipe',
    env: { ...process.env, ...env },
  });
  atEnd(async () => void child.kill('SIGKILL'));
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const input = childInput(child);
  if (stdin !== null) input.end(stdin);
  const ended = once(child, 'close').then(([code, signal]) => ({
    code: code as number | null,
    signal: signal as NodeJS.Signals | null,
    stdout,
    stderr,
  }));
  return { process: child, ended };
}

/** Ids of `count` peels. */
export function idsOf(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `web-${String(i).padStart(4, '0')}`);
}

/** Writes a list of peels. */
export async function listIn(dir: string, ids: readonly string[]): Promise<string> {
  const path = join(dir, 'peels.txt');
  await writeFile(path, `${ids.join('\n')}\n`);
  return path;
}

/** Whether a program is installed, for the name of a test that is skipped without it. */
export function missing(program: string, debianPackage: string): string | undefined {
  try {
    execFileSync('sh', ['-c', `PATH="$PATH:/usr/sbin" command -v ${program}`], { stdio: 'pipe' });
    return undefined;
  } catch {
    return `there is no ${program}: apt-get install ${debianPackage}`;
  }
}

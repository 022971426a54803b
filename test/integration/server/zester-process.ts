import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { atEnd } from '../../support/cleanup.js';
import { waitFor } from '../../support/wait-for.js';
import { ZESTER } from '../../support/zester-command.js';

/** A `zester` process; killed after the last test at the latest. */
export interface ZesterProcess {
  pid: number;
  stdout: () => string;
  stderr: () => string;
  kill(signal: NodeJS.Signals): void;
  /** Resolves when it has ended. */
  exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

export function startZester(args: readonly string[], env: Record<string, string> = {}): ZesterProcess {
  const child = spawn(process.execPath, [...ZESTER, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (data: Buffer) => (stdout += data.toString()));
  child.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
  // close, not exit: its output has been read by then
  const exited = once(child, 'close').then(([code, signal]) => ({
    code: code as number | null,
    signal: signal as NodeJS.Signals | null,
  }));
  atEnd(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  return {
    pid: child.pid ?? 0,
    stdout: () => stdout,
    stderr: () => stderr,
    kill: (signal) => void child.kill(signal),
    exited,
  };
}

/** The output of `zester server --json` when it accepts clients. */
export interface Ready {
  event: string;
  url: string;
  port: number;
  pid: number;
  configuration: string;
}

/** Starts `zester server` on a free port, and waits until it accepts clients. */
export async function startZesterServer(
  home: string,
  args: readonly string[] = [],
  env: Record<string, string> = {},
): Promise<{ zester: ZesterProcess; ready: Ready }> {
  const zester = startZester(['server', '--home', home, '--port', '-1', '--json', ...args], env);
  let ended = false;
  void zester.exited.then(() => (ended = true));
  const line = await waitFor('the server to be ready', () => {
    if (ended) throw new Error(`it ended: ${zester.stderr()}`);
    return zester.stdout().split('\n', 1)[0] || undefined;
  });
  return { zester, ready: JSON.parse(line) as Ready };
}

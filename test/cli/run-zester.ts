import type { CliIo, InterruptSignal } from '../../src/cli/terminal/io.js';
import { runCli } from '../../src/cli/run.js';

/** What a command line came to. */
export interface ZesterResult {
  code: number;
  stdout: string;
  stderr: string;
}

export interface ZesterOptions {
  /** Whether standard output is a terminal; false by default. */
  tty?: boolean;
  env?: Record<string, string>;
  /** Milliseconds since 1970; now by default. */
  now?: number;
  /** The terminal that a full-screen command takes over; there is none by default. */
  screen?: CliIo['screen'];
  /** Is given the function that interrupts the command, once it listens. */
  onListening?: (interrupt: (signal: InterruptSignal) => void) => void;
  /** Hears everything that it writes. */
  onOutput?: (text: string) => void;
}

/** Runs a command line in this process, with streams of its own. */
export async function zester(args: readonly string[], options: ZesterOptions = {}): Promise<ZesterResult> {
  const { tty = false, env = {}, now, onListening, onOutput, screen } = options;
  let stdout = '';
  let stderr = '';
  const io: CliIo = {
    stdout: {
      write: (text) => {
        stdout += text;
        onOutput?.(text);
      },
      isTTY: tty,
    },
    stderr: {
      write: (text) => {
        stderr += text;
        onOutput?.(text);
      },
      isTTY: tty,
    },
    env,
    now: () => now ?? Date.now(),
    ...(screen !== undefined && { screen }),
    onInterrupt: (stop) => {
      onListening?.(stop);
      return () => undefined;
    },
  };
  const code = await runCli(args, io);
  return { code, stdout, stderr };
}

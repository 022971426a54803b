import type { CliIo, InterruptSignal } from '../../src/cli/terminal/io.js';
import { runCli } from '../../src/cli/run.js';

/** The result of a command line. */
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
  /** The terminal for a full-screen command; none by default. */
  screen?: CliIo['screen'];
  /** Receives the function that interrupts the command, once the command listens. */
  onListening?: (interrupt: (signal: InterruptSignal) => void) => void;
  /** Takes what is sent to standard output as bytes; otherwise it is part of the result. */
  send?: CliIo['stdout']['send'];
  /** Called with all output. */
  onOutput?: (text: string) => void;
}

/** Runs a command line in this process, with its own streams. */
export async function zester(args: readonly string[], options: ZesterOptions = {}): Promise<ZesterResult> {
  const { tty = false, env = {}, now, onListening, onOutput, screen, send } = options;
  let stdout = '';
  let stderr = '';
  const io: CliIo = {
    stdout: {
      write: (text) => {
        stdout += text;
        onOutput?.(text);
      },
      ...(send !== undefined && { send }),
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

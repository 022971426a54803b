// The context of every command: output and streams. It loads nothing of the library, so commands start fast.
import type { CliIo } from '../terminal/io.js';
import type { Output } from '../terminal/output.js';

/** The base context of every command. */
export interface NothingContext {
  readonly io: CliIo;
  readonly output: Output;
  /**
   * Aborted by Ctrl-C, SIGTERM or a closed terminal; the reason is the signal's name. From the first call on, the signal does
   * not end the process by itself.
   */
  readonly interruption: () => AbortSignal;
}

/**
 * Calls `act` with the base of a context, and with `atEnd`, which registers cleanup steps that always run, last first.
 *
 * @throws errors of `act`
 */
export async function withBaseContext(
  io: CliIo,
  output: Output,
  act: (base: NothingContext, atEnd: (cleanup: () => void | Promise<void>) => void) => Promise<void>,
): Promise<void> {
  const cleanups: (() => void | Promise<void>)[] = [];
  let interruption: AbortController | undefined;
  const base: NothingContext = {
    io,
    output,
    interruption: () => {
      if (interruption === undefined) {
        const controller = new AbortController();
        interruption = controller;
        cleanups.push(io.onInterrupt((signal) => controller.abort(signal)));
      }
      return interruption.signal;
    },
  };
  try {
    await act(base, (cleanup) => void cleanups.push(cleanup));
  } finally {
    for (const cleanup of cleanups.reverse()) await cleanup();
  }
}

// The context of every command: output and streams. It loads nothing of the library, so commands start fast.
import type { CliIo } from '../terminal/io.js';
import type { Output } from '../terminal/output.js';

/** Every command has this. */
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
 * Gives `act` the base of a context, and `atEnd`, which takes what is to be undone afterwards, whatever happened: the last
 * first.
 *
 * @throws what `act` throws
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

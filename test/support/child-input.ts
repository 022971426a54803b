import type { ChildProcess } from 'node:child_process';
import type { Writable } from 'node:stream';

const ignore = () => undefined;

/**
 * A child's standard input, with write errors ignored: the child may exit early, and an unhandled EPIPE would fail the
 * whole vitest run. Tests check the exit status.
 */
export function childInput(child: ChildProcess): Writable {
  const { stdin } = child;
  if (stdin === null) throw new Error('the program was started without a pipe to its standard input');
  // once, however often this is called
  stdin.off('error', ignore).on('error', ignore);
  return stdin;
}

import type { ChildProcess } from 'node:child_process';
import type { Writable } from 'node:stream';

const ignore = () => undefined;

/**
 * The standard input of a program that may exit before reading all of it. An unhandled EPIPE would fail the whole vitest
 * run. The exit status says what happened.
 */
export function childInput(child: ChildProcess): Writable {
  const { stdin } = child;
  if (stdin === null) throw new Error('the program was started without a pipe to its standard input');
  // once, however often this is called
  stdin.off('error', ignore).on('error', ignore);
  return stdin;
}

import type { ChildProcess } from 'node:child_process';
import type { Writable } from 'node:stream';

const ignore = () => undefined;

/**
 * The standard input of a program that may end before it has read all of it. A write then fails with EPIPE, which
 * nothing awaits, and vitest fails the whole run for it. How the program ended says what happened.
 */
export function childInput(child: ChildProcess): Writable {
  const { stdin } = child;
  if (stdin === null) throw new Error('the program was started without a pipe to its standard input');
  // once, however often this is called
  stdin.off('error', ignore).on('error', ignore);
  return stdin;
}

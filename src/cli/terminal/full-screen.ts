// A full-screen view on a terminal: drawing, keys, and restoring the terminal on every exit.
import { writeSync } from 'node:fs';
import type { ReadStream, WriteStream } from 'node:tty';
import { widthOf } from './columns.js';

/** A terminal in exclusive use by a command until `close`. */
export interface FullScreen {
  /** Characters per line, and lines. */
  size(): { columns: number; rows: number };
  /** Replaces the screen content. The lines must fit and be safe to print. */
  draw(lines: readonly string[]): void;
  /** Restores the terminal. May be called twice. */
  close(): void;
}

/** The callbacks of a {@link FullScreen}. */
export interface FullScreenEvents {
  /** A key was pressed: its character, or the sequence that the terminal sends. Ctrl-C is `\u0003`. */
  key: (key: string) => void;
  resize: () => void;
  /** The terminal is gone: nothing can be drawn any more. */
  lost: () => void;
}

/** The height of a terminal that was given no size. */
const USUAL_ROWS = 24;

// Source: ECMA-48 and xterm's control sequences (alternate screen 1049, cursor 25, autowrap 7).
const ENTER = '\u001b[?1049h\u001b[?25l\u001b[?7l';
const LEAVE = '\u001b[?7h\u001b[?25h\u001b[?1049l';
const HOME = '\u001b[H';
const END_OF_LINE = '\u001b[K';
const END_OF_SCREEN = '\u001b[J';

/** Takes over a terminal, and restores it even if the process exits without `close`. */
export function openFullScreen(
  { stdin, stdout }: { stdin: ReadStream; stdout: WriteStream & { fd: number } },
  events: FullScreenEvents,
): FullScreen {
  let isOpen = true;
  const onData = (data: Buffer) => events.key(data.toString('utf8'));
  const onResize = () => events.resize();
  const onLost = () => {
    isOpen = false;
    events.lost();
  };
  const atExit = () => {
    // the last chance: later output would be lost
    if (isOpen) writeSync(stdout.fd, LEAVE);
  };
  process.once('exit', atExit);
  // a terminal that is closed fails to read and to write, also after this one has ended
  stdin.on('error', onLost).on('end', onLost);
  stdout.on('error', onLost);
  stdout.write(ENTER);
  stdin.setRawMode(true).on('data', onData).resume();
  stdout.on('resize', onResize);
  return {
    size: () => ({ columns: widthOf(stdout), rows: stdout.rows > 0 ? stdout.rows : USUAL_ROWS }),
    draw: (lines) => {
      if (isOpen)
        stdout.write(`${HOME}${lines.map((line) => `${line}${END_OF_LINE}`).join('\r\n')}${END_OF_SCREEN}`);
    },
    close: () => {
      process.off('exit', atExit);
      stdin.off('data', onData);
      stdout.off('resize', onResize);
      if (!isOpen) return;
      stdin.setRawMode(false).pause();
      stdout.write(LEAVE);
      isOpen = false;
    },
  };
}

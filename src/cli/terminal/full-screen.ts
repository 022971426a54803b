// A full-screen view on a terminal: drawing, keys, and restoring the terminal on every exit.
import { writeSync } from 'node:fs';
import type { ReadStream, WriteStream } from 'node:tty';

/** A terminal that a command has for itself until `close`. */
export interface FullScreen {
  /** Characters of a line, and lines. */
  size(): { columns: number; rows: number };
  /** Replaces what is shown. The lines are safe to print, and fit. */
  draw(lines: readonly string[]): void;
  /** Gives the terminal back as it was. Twice is fine. */
  close(): void;
}

/** What a {@link FullScreen} hears. */
export interface FullScreenEvents {
  /** A key was pressed: its character, or the sequence that the terminal sends. Ctrl-C is `\u0003`. */
  key: (key: string) => void;
  resize: () => void;
}

// Source: ECMA-48 and xterm's control sequences (alternate screen 1049, cursor 25, autowrap 7).
const ENTER = '\u001b[?1049h\u001b[?25l\u001b[?7l';
const LEAVE = '\u001b[?7h\u001b[?25h\u001b[?1049l';
const HOME = '\u001b[H';
const END_OF_LINE = '\u001b[K';
const END_OF_SCREEN = '\u001b[J';

/** Takes over a terminal. When the process ends in any other way than by `close`, it is given back all the same. */
export function openFullScreen(
  { stdin, stdout }: { stdin: ReadStream; stdout: WriteStream & { fd: number } },
  events: FullScreenEvents,
): FullScreen {
  let isOpen = true;
  const onData = (data: Buffer) => events.key(data.toString('utf8'));
  const onResize = () => events.resize();
  const atExit = () => {
    // the last chance: nothing that is written later than this arrives
    if (isOpen) writeSync(stdout.fd, LEAVE);
  };
  process.once('exit', atExit);
  stdout.write(ENTER);
  stdin.setRawMode(true).on('data', onData).resume();
  stdout.on('resize', onResize);
  return {
    size: () => ({ columns: stdout.columns, rows: stdout.rows }),
    draw: (lines) => {
      if (isOpen)
        stdout.write(`${HOME}${lines.map((line) => `${line}${END_OF_LINE}`).join('\r\n')}${END_OF_SCREEN}`);
    },
    close: () => {
      if (!isOpen) return;
      stdin.off('data', onData).setRawMode(false).pause();
      stdout.off('resize', onResize);
      stdout.write(LEAVE);
      isOpen = false;
      process.off('exit', atExit);
    },
  };
}

// The process's streams, signals and environment, for commands.
import { BulkError, FileError, InterruptedError } from '../../errors.js';
import { writeReason } from '../../files/write-secret-file.js';
import type { FullScreen, FullScreenEvents } from './full-screen.js';

/** An output stream, and whether it is a terminal. */
export interface CliStream {
  write(text: string): void;
  isTTY: boolean;
  /** The terminal's line width, if it is one. */
  columns?: number | undefined;
  /**
   * Writes bytes, possibly very many.
   *
   * Resolves when the system has accepted them.
   * @throws BulkError `ERR_BULK_OUTPUT_CLOSED` when the reader is gone
   */
  send?(bytes: Uint8Array): Promise<void>;
  /** Aborted once nothing more can be written: a pipe's reader has exited, or the disk is full. */
  readonly lost?: AbortSignal;
  /**
   * Waits until the system has accepted all output.
   *
   * @throws FileError `ERR_FILE_WRITE` when it did not. A pipe's reader that exits early (`zester … | head -1`) is not
   *   an error
   */
  flush?(): Promise<void>;
}

/** The command's environment except files and servers; tests pass their own. */
export interface CliIo {
  stdout: CliStream;
  stderr: CliStream;
  env: Readonly<Record<string, string | undefined>>;
  /** Milliseconds since 1970. */
  now: () => number;
  /**
   * Calls `stop` on a termination signal (Ctrl-C, SIGTERM, a closed terminal), and returns the function that stops
   * listening. While it listens, the signal does not end the process by itself.
   */
  onInterrupt(stop: (signal: InterruptSignal) => void): () => void;
  /** Prompts, and returns the typed line; absent without a terminal. */
  ask?: ((question: string) => Promise<string>) | undefined;
  /** Takes over the terminal; absent without one. */
  screen?: ((events: FullScreenEvents) => Promise<FullScreen>) | undefined;
  /** Calls `handler` for each line that a person enters, until the returned function is called; absent without a terminal. */
  onLine?: ((handler: () => void) => () => void) | undefined;
  /** Calls `handler` on a signal that does not terminate; absent if unsupported. */
  onSignal?(signal: NodeJS.Signals, handler: () => void): () => void;
}

export const INTERRUPT_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
export type InterruptSignal = (typeof INTERRUPT_SIGNALS)[number];

/** The process's own. Streams are opened on first use: each takes a millisecond or two, and few commands need all. */
export function processIo(): CliIo {
  return {
    stdout: streamOf(() => process.stdout),
    stderr: streamOf(() => process.stderr),
    env: process.env,
    now: Date.now,
    onInterrupt,
    get ask() {
      return process.stdin.isTTY === true && process.stderr.isTTY === true ? askOnTerminal : undefined;
    },
    get screen() {
      return process.stdin.isTTY === true && process.stdout.isTTY === true ? takeScreen : undefined;
    },
    get onLine() {
      return process.stdin.isTTY === true ? onLine : undefined;
    },
    onSignal: (signal, handler) => {
      process.on(signal, handler);
      return () => process.off(signal, handler);
    },
  };
}

/**
 * On standard error: standard output may be in a pipe. While it asks, the terminal is in raw mode, and Ctrl-C comes as a key
 * and not as a signal; a closed terminal (Ctrl-D) ends the question without an answer.
 *
 * @throws InterruptedError on Ctrl-C, at the end of the input, and on a signal that asks the process to end
 */
async function askOnTerminal(question: string): Promise<string> {
  const { createInterface } = await import('node:readline');
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  let stopListening: () => void = () => undefined;
  try {
    return await new Promise<string>((resolve, reject) => {
      const interrupted = (signal: InterruptSignal) => {
        process.stderr.write('\n'); // put the error on its own line
        reject(new InterruptedError(signal, 'interrupted: nothing was changed'));
      };
      stopListening = onInterrupt(interrupted);
      terminal.once('SIGINT', () => interrupted('SIGINT')).once('close', () => interrupted('SIGINT'));
      terminal.question(question, resolve);
    });
  } finally {
    stopListening();
    terminal.removeAllListeners('close').close();
  }
}

async function takeScreen(events: FullScreenEvents): Promise<FullScreen> {
  const { openFullScreen } = await import('./full-screen.js');
  return openFullScreen({ stdin: process.stdin, stdout: process.stdout }, events);
}

/** The terminal mode is unchanged, so Ctrl-C remains a signal. */
function onLine(handler: () => void): () => void {
  const onData = () => handler();
  process.stdin.on('data', onData);
  return () => void process.stdin.off('data', onData).pause();
}

/** Calls `stop` on each termination signal; returns the function that stops listening. */
function onInterrupt(stop: (signal: InterruptSignal) => void): () => void {
  const handlers = INTERRUPT_SIGNALS.map((signal) => [signal, () => stop(signal)] as const);
  for (const [signal, handler] of handlers) process.on(signal, handler);
  return () => {
    for (const [signal, handler] of handlers) process.off(signal, handler);
  };
}

/** Whether the reader of a pipe has exited. */
function isReaderGone({ code }: NodeJS.ErrnoException): boolean {
  return code === 'EPIPE' || code === 'ERR_STREAM_DESTROYED';
}

function streamOf(open: () => NodeJS.WriteStream): CliStream {
  let opened: NodeJS.WriteStream | undefined;
  const lost = new AbortController();
  // a write failure must not abort a command in the middle: it is reported at the end
  const stream = () => (opened ??= open().on('error', (error) => lost.abort(error)));
  return {
    write: (text) => void stream().write(text),
    get isTTY() {
      return stream().isTTY === true;
    },
    get columns() {
      return stream().columns;
    },
    lost: lost.signal,
    send: (bytes) =>
      new Promise((resolve, reject) => {
        stream().write(bytes, (cause) => {
          if (cause) reject(outputError(cause));
          else resolve();
        });
      }),
    flush: async () => {
      if (opened === undefined) return;
      await new Promise((resolve) => opened?.write('', resolve));
      const cause = lost.signal.reason as NodeJS.ErrnoException | undefined;
      if (cause !== undefined && !isReaderGone(cause)) throw cannotOutput(cause);
    },
  };
}

function cannotOutput(cause: Error): FileError {
  const message = `cannot write to standard output: ${writeReason(cause)}; not all of the result was written`;
  return new FileError('ERR_FILE_WRITE', 'standard output', message, { cause });
}

function outputError(cause: NodeJS.ErrnoException): BulkError {
  const why = isReaderGone(cause) ? 'its reader has exited' : writeReason(cause);
  return new BulkError('ERR_BULK_OUTPUT_CLOSED', `cannot write to standard output: ${why}`, { cause });
}

#!/usr/bin/env node
// The entry point of the `zester` command.
/**
 * The program `zester`. It stays small so that it starts fast: what a command needs is loaded when the command runs.
 */
import { isatty } from 'node:tty';
import { VERSION } from '../protocol/package-version.js';

async function main(args: readonly string[]): Promise<void> {
  // a umask that clears owner bits would create a home that its owner cannot open; modes are set explicitly anyway
  process.umask(process.umask(0o077) & 0o077);
  const asksVersion = args[0] === '--version' || args[0] === '-V';
  if (args.length === 1 && asksVersion) {
    process.stdout.on('error', cannotWrite).write(`${VERSION}\n`);
    return;
  }
  const [{ printVersionInfo, runCli }, { processIo }] = await Promise.all([
    import('./run.js'),
    import('./terminal/io.js'),
  ]);
  if (asksVersion && args.length === 2 && args[1] === '--json') {
    process.exitCode = await printVersionInfo(processIo());
    return;
  }
  const hasTerminal = [0, 1, 2].some(isatty);
  // exitCode, not exit(): pending output to a pipe must be flushed
  process.exitCode = await runCli(args, processIo());
  if (hasTerminal && process.exitCode === HUNG_UP) endByHangUp();
}

/** The exit code of a command whose terminal was closed: 128 and the number of SIGHUP. */
const HUNG_UP = 129;

/**
 * At the end of a process, Node.js restores the mode of its terminal. If that is gone, it aborts, with a core dump, in which
 * there are seeds.
 */
function endByHangUp(): void {
  process.removeAllListeners('SIGHUP');
  process.kill(process.pid, 'SIGHUP');
}

/** The disk is full; a pipe's reader may leave early. */
function cannotWrite({ code, message }: NodeJS.ErrnoException): void {
  if (code === 'EPIPE') return;
  process.stderr.write(`zester: cannot write to standard output: ${message}\n`);
  process.exitCode = 1;
}

void main(process.argv.slice(2));

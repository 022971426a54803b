#!/usr/bin/env node
// The entry point of the `zester` command.
/**
 * The program `zester`. It stays small so that it starts fast: what a command needs is loaded when the command runs.
 */
import { packageVersion } from './version.js';

async function main(args: readonly string[]): Promise<void> {
  if (args.length === 1 && (args[0] === '--version' || args[0] === '-V')) {
    process.stdout.write(`${packageVersion()}\n`);
    return;
  }
  const [{ runCli }, { processIo }] = await Promise.all([import('./run.js'), import('./terminal/io.js')]);
  // exitCode, not exit(): what is still on its way to a pipe must arrive
  process.exitCode = await runCli(args, processIo());
}

void main(process.argv.slice(2));

import type { Command } from 'commander';
import { ExpectationError, InterruptedError } from '../../errors.js';
import type { CliIo } from '../io.js';
import { Output, type GlobalOptions } from '../output.js';

interface Options extends GlobalOptions {
  keep?: boolean;
}

/** `zester demo`: the main job, end to end, on a nats-server of its own. */
export function registerDemo(parent: Command, io: CliIo): void {
  parent
    .command('demo')
    .description('show the whole of it on this machine, with a real nats-server on a free port, and clean up')
    .option('--keep', 'keep the home of the demo, and print how to go on with it')
    .addHelpText(
      'after',
      `
It makes a trust domain in a temporary home, starts nats-server (found on the PATH, or at ZESTER_NATS_SERVER), bootstraps
a peel, sends it a command, shows what is refused, and replaces the peel's credentials under its feet.
Ends with 0 when every step went as it should, else with 1.

Examples:
  $ zester demo
  $ zester demo --keep
  $ zester demo --json | jq .steps`,
    )
    .action(async (_options, command: Command) => {
      await demo(command.optsWithGlobals<Options>(), io);
    });
}

async function demo(options: Options, io: CliIo): Promise<void> {
  const output = new Output(io, options);
  const { runDemo } = await import('../demo/run.js');
  const interrupted = new AbortController();
  const stopListening = io.onInterrupt((signal) => {
    interrupted.abort(
      new InterruptedError(signal, `interrupted by ${signal}: the demo stopped and cleaned up`),
    );
  });
  try {
    const result = await runDemo({
      keep: options.keep === true,
      signal: interrupted.signal,
      onStep: ({ ok, step, detail, ms }) => {
        if (output.quiet) return;
        const mark = ok ? output.colour('green', 'ok  ') : output.colour('red', 'FAIL');
        const time = output.colour('dim', `${ms.toFixed(0)} ms`.padStart(8));
        output.lines([`${mark} ${time}  ${step.padEnd(STEP_WIDTH)}  ${detail}`]);
      },
    });
    const { ok, steps, home, next } = result;
    const goOn =
      home === null || output.quiet
        ? []
        : [
            '',
            `The home of the demo is ${home}. To go on with it:`,
            ...next.map((command) => `  $ ${command}`),
          ];
    output.result(goOn, {
      ok,
      steps: steps.map((step) => ({ ...step, ms: Number(step.ms.toFixed(1)) })),
      home,
      next,
    });
    interrupted.signal.throwIfAborted();
    const failed = steps.find((step) => !step.ok);
    if (failed !== undefined) {
      throw new ExpectationError(`the demo failed at "${failed.step}": ${failed.detail}`, {
        cause: result.error,
      });
    }
  } finally {
    stopListening();
  }
}

/** The longest step's name. */
const STEP_WIDTH = 15;

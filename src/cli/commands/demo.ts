// `zester demo`: run a demonstration on this machine, with a real nats-server.
import { ExpectationError, InterruptedError } from '../../errors.js';
import { command } from '../command/declaration.js';
import { flag } from '../command/option.js';

/** The length of the longest step name. */
const STEP_WIDTH = 15;

export default command({
  summary: 'run a demonstration on this machine, with a real nats-server',
  keepsKeys: true,
  section: 'Start here',
  options: { keep: flag('--keep', "keep the demo's home, and print what to try next") },
  notes: `
The demo creates a trust domain in a temporary home, starts nats-server (found on the PATH, or at ZESTER_NATS_SERVER) on
a free port, bootstraps a peel, sends it a command, shows refused requests, replaces the peel's credentials while it is
connected, and cleans up. Exit code 1 if a step failed.`,
  examples: ['zester demo', 'zester demo --keep', 'zester demo --json | jq .steps'],
  async run({ keep }, { io, output }) {
    const { runDemo } = await import('../demo/run.js');
    const interrupted = new AbortController();
    const stopListening = io.onInterrupt((signal) => {
      interrupted.abort(
        new InterruptedError(signal, `interrupted by ${signal}: the demo stopped and cleaned up`),
      );
    });
    try {
      const { ok, steps, home, next, error } = await runDemo({
        keep,
        signal: interrupted.signal,
        onStep: (step) => {
          if (output.quiet) return;
          const mark = step.ok ? output.colour('green', 'ok  ') : output.colour('red', 'FAIL');
          const time = output.colour('dim', `${step.ms.toFixed(0)} ms`.padStart(8));
          output.lines([`${mark} ${time}  ${step.step.padEnd(STEP_WIDTH)}  ${step.detail}`]);
        },
      });
      const goOn = ['', `The demo's home is ${home}. Try next:`, ...next.map((line) => `  $ ${line}`)];
      output.result(home === null || output.quiet ? [] : goOn, {
        ok,
        steps: steps.map((step) => ({ ...step, ms: Number(step.ms.toFixed(1)) })),
        home,
        next,
      });
      interrupted.signal.throwIfAborted();
      const failed = steps.find((step) => !step.ok);
      if (failed !== undefined) {
        throw new ExpectationError(`the demo failed at "${failed.step}": ${failed.detail}`, { cause: error });
      }
    } finally {
      stopListening();
    }
  },
});

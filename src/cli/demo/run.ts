// Runs the steps of `zester demo`, and cleans up.
import { errorMessage } from '../../text/error-message.js';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findNatsServer } from '../../nats-server/find.js';
import { howToGoOn } from './how-to-go-on.js';
import { Stage, type DemoStep } from './stage.js';
import { connectSteps } from './steps/connect.js';
import { credentialSteps } from './steps/credentials.js';
import { refusalSteps } from './steps/refusals.js';
import { rotationSteps } from './steps/rotation.js';
import { serverSteps } from './steps/server.js';

const STEPS: readonly DemoStep[] = [
  ...serverSteps,
  ...credentialSteps,
  ...connectSteps,
  ...refusalSteps,
  ...rotationSteps,
];

/** The result of a step. */
export interface DemoStepResult {
  step: string;
  /** Whether it succeeded. */
  ok: boolean;
  /** A description of the result. */
  detail: string;
  /** Its duration in milliseconds. */
  ms: number;
}

export interface DemoResult {
  ok: boolean;
  /** The steps up to the first failure, and the clean-up. */
  steps: DemoStepResult[];
  /** The path of the home, if kept. */
  home: string | null;
  /** The commands that use a home that is kept. */
  next: string[];
  /** The error of the first failed step. */
  error?: unknown;
}

export interface DemoOptions {
  /** Keep the home. */
  keep: boolean;
  /** Stops the demo after the current step, with the clean-up. */
  signal: AbortSignal;
  onStep: (result: DemoStepResult) => void;
}

/**
 * Runs the demo: the steps in order up to the first that fails, and the clean-up in any case.
 *
 * @throws NatsServerError `ERR_NATS_SERVER_NOT_FOUND`, before anything is created
 */
export async function runDemo({ keep, signal, onStep }: DemoOptions): Promise<DemoResult> {
  await findNatsServer();
  const home = await mkdtemp(join(await realpath(tmpdir()), 'zester-demo-'));
  const stage = new Stage(home);
  const steps: DemoStepResult[] = [];
  let error: unknown;
  const run = async ({ step, run }: DemoStep): Promise<boolean> => {
    const start = performance.now();
    const done = (ok: boolean, detail: string) => {
      const result = { step, ok, detail, ms: performance.now() - start };
      steps.push(result);
      onStep(result);
      return ok;
    };
    try {
      return done(true, await run(stage));
    } catch (thrown) {
      error ??= thrown;
      return done(false, errorMessage(thrown));
    }
  };
  for (const step of STEPS) {
    if (signal.aborted || !(await run(step))) break;
  }
  await run(cleanUp(keep));
  const ok = error === undefined && !signal.aborted;
  return { ok, steps, home: keep ? home : null, next: keep ? howToGoOn(stage) : [], ...(!ok && { error }) };
}

function cleanUp(keep: boolean): DemoStep {
  return {
    step: 'clean up',
    async run(stage) {
      try {
        await stage.end();
      } finally {
        if (!keep) await rm(stage.home, { recursive: true, force: true });
      }
      const home = keep ? `the home is kept: ${stage.home}` : `${stage.home} removed`;
      return `connections drained, nats-server stopped, ${home}`;
    },
  };
}

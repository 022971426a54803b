import { describe, expect, it, onTestFailed } from 'vitest';
import { noCluster } from '../../support/nats-servers.js';
import { FAULTS } from './faults/faults.js';
import { World } from './faults/world.js';

/** Set by `npm run test:faults`: also runs the long faults, at realistic durations. */
const IS_LONG = process.env['ZESTER_FAULTS'] === 'long';
const SEED = Number(process.env['ZESTER_FAULTS_SEED'] ?? 20_261_128);

/** Numbers that look random and are the same at each run (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const wanted = FAULTS.filter(({ isShort }) => isShort || IS_LONG).filter(
  ({ name }) => name !== 'two-servers-down' || !noCluster,
);
const canMount = process.getuid?.() === 0 && process.platform === 'linux';

describe('after a fault, no decision is lost, and every healthy peel recovers by itself:', () => {
  const ofAll = (timeoutMs = 1_800_000) => (IS_LONG ? timeoutMs : 120_000);
  for (const { name, run, timeoutMs } of wanted)
    it(name, { timeout: ofAll(timeoutMs) }, async () => {
      if (name === 'disk-full' && !canMount) {
        process.stderr.write('skipped: no tmpfs can be mounted here\n');
        return;
      }
      onTestFailed(() => World.last?.explain(`${name} (seed ${SEED})`));
      const { world, decided } = await run(IS_LONG, randomOf(SEED));
      const seconds = await world.recovered();
      process.stdout.write(`${name} (seed ${SEED}): ${decided}; recovered after ${seconds.toFixed(1)} s\n`);
      expect(seconds).toBeGreaterThanOrEqual(0);
    });
});

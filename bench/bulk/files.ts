import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { directoryDelivery } from '../../src/provision/sinks/directory.js';
import { generateKeyBundle } from '../../src/nkeys/key-bundle.js';
import type { Bar } from '../report.js';
import { gatedRun } from './gated.js';
import { inTurns, printRounds, ratioOf } from './rounds.js';

/** Rounds of some seconds: in shorter ones, the beginning and the end, where not all threads have work, would be most. */
const ROUNDS = 5;
const COUNT = 4_096;
/** Threads of the baseline; the fastest is what we are compared with. */
const BASELINE_THREADS = [4, 8, 16];

/**
 * Files, as `zester creds issue` writes them, against the same machine writing files of that size with no crypto. The
 * baseline does what makes such a file durable and nothing else, from several threads, with no trip through libuv: open
 * a new file, write, fsync, close, rename, and one fsync of the directory for each 64.
 */
export async function files(dir: string): Promise<Bar[]> {
  const out = join(dir, 'files');
  await mkdir(out);
  const account = generateKeyBundle('account');
  const run = gatedRun(await directoryDelivery(out), { signer: account });
  const baselines = await Promise.all(
    BASELINE_THREADS.map(async (threads) => {
      const into = join(dir, `baseline-${threads}`);
      await mkdir(into);
      return [`files without crypto, ${threads} threads`, new Baseline(into, threads)] as const;
    }),
  );
  const subjects = Object.fromEntries([
    ['zester creds issue, files', run.issue],
    ...baselines.map(([name, baseline]) => [name, (count: number) => baseline.write(count)] as const),
  ]) as Record<string, (count: number) => Promise<unknown>>;
  const rounds = await inTurns(subjects, ROUNDS, COUNT);
  await run.end();
  await Promise.all(baselines.map(([, baseline]) => baseline.close()));
  console.log(`bulk: ${ROUNDS * COUNT} credentials as files, synced, in ${ROUNDS} rounds`);
  printRounds(rounds);
  const ours = rounds['zester creds issue, files'] ?? [];
  const ratios = baselines.map(([name]) => ratioOf(rounds[name] ?? [], ours));
  return [
    {
      what: 'files: rate against files without crypto, the fastest of those',
      ratio: Math.min(...ratios),
      bound: 0.7,
      kind: 'at least',
    },
  ];
}

/** Threads that write files. */
class Baseline {
  readonly #workers: Worker[];

  constructor(directory: string, threads: number) {
    this.#workers = Array.from(
      { length: threads },
      (_, thread) =>
        new Worker(new URL('./write-files.js', import.meta.url), { workerData: { directory, thread } }),
    );
  }

  async write(count: number): Promise<void> {
    // small shares, taken by whichever thread is free, as with the batches of ours
    let left = count;
    await Promise.all(
      this.#workers.map(async (worker) => {
        while (left > 0) {
          const share = Math.min(SHARE, left);
          left -= share;
          await new Promise((resolve) => {
            worker.once('message', resolve);
            worker.postMessage(share);
          });
        }
      }),
    );
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }
}

const SHARE = 64;

// Fuzzes all targets, each in its own thread: `npm run test:fuzz -- [--minutes 10] [--seed N] [--only NAME]`.
import { build } from 'esbuild';
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import type { FuzzOrder, FuzzReport } from './children/fuzz-worker.js';
import { TARGET_NAMES, type TargetName } from './target-names.js';

const HANG_MS = 60_000;
const MAX_GROWTH_MIB = 64;
// next to the packages that it imports, where no build removes it
const BUNDLE = 'node_modules/.cache/fuzz/fuzz-worker.mjs';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    only: { type: 'string', default: '' },
  },
});
const seed = Number(values.seed);
const targets = TARGET_NAMES.filter((name) => name.includes(values.only));
const forMs = (Number(values.minutes) * 60_000) / targets.length;

/** Runs a thread until it reports, and terminates it when an input does not end. */
function fuzz(target: TargetName): Promise<FuzzReport> {
  return new Promise((resolve) => {
    const current = new SharedArrayBuffer(4 + 64 * 1024);
    const workerData: FuzzOrder = { target, seed, forMs, current };
    const limits = { maxOldGenerationSizeMb: 512 };
    const worker = new Worker(new URL(`../../${BUNDLE}`, import.meta.url), {
      workerData,
      resourceLimits: limits,
    });
    const runs = new Int32Array(current, 0, 1);
    let before = '';
    const failed = (why: string) => {
      clearInterval(watch);
      void worker.terminate();
      const input = Buffer.from(new Uint8Array(current, 4, Math.max(0, Atomics.load(runs, 0)))).toString(
        'base64',
      );
      const none = {
        executions: 0,
        corpus: 0,
        coverageAtStart: 0,
        coverage: 0,
        heapGrowthMiB: 0,
        slowestMs: 0,
      };
      resolve({ target, ...none, findings: [{ why, input }] });
    };
    let since = Date.now();
    const watch = setInterval(() => {
      const now = Buffer.from(new Uint8Array(current, 0, 260)).toString('latin1');
      if (now !== before) [before, since] = [now, Date.now()];
      else if (Date.now() - since > HANG_MS) failed(`one input ran for more than ${HANG_MS / 1000} s`);
    }, 1_000);
    worker.on('message', (report: FuzzReport) => {
      clearInterval(watch);
      resolve(report);
    });
    worker.on('error', (error) => failed(`the thread died: ${error.message}`));
  });
}

await build({
  entryPoints: ['test/fuzz/children/fuzz-worker.ts'],
  bundle: true,
  platform: 'node',
  format: 'esm',
  packages: 'external',
  outfile: BUNDLE,
  logLevel: 'error',
});
process.stdout.write(`seed ${seed}, ${values.minutes} minutes\n`);
process.stdout.write(
  `${'target'.padEnd(26)} executions   corpus  coverage at start and end  heap MiB  slowest CPU ms  findings\n`,
);
const all: FuzzReport[] = [];
for (const target of targets) {
  const report = await fuzz(target);
  if (report.heapGrowthMiB > MAX_GROWTH_MIB)
    report.findings.push({ why: `the heap grew by ${Math.round(report.heapGrowthMiB)} MiB`, input: '' });
  all.push(report);
  const { executions, corpus, coverageAtStart, coverage, heapGrowthMiB, slowestMs, findings } = report;
  const cells = [
    executions,
    corpus,
    coverageAtStart,
    coverage,
    heapGrowthMiB.toFixed(1),
    slowestMs.toFixed(0),
    findings.length,
  ];
  const widths = [10, 8, 12, 14, 9, 15, 9];
  process.stdout.write(
    `${target.padEnd(26)} ${cells.map((cell, i) => String(cell).padStart(widths[i] ?? 0)).join(' ')}\n`,
  );
  for (const { why, input } of findings)
    process.stdout.write(`  ${why}\n    input (base64): ${input.slice(0, 400)}\n`);
}
const total = all.reduce((sum, { executions }) => sum + executions, 0);
const findings = all.flatMap((report) => report.findings);
process.stdout.write(`${total} executions, ${findings.length} findings\n`);
writeFileSync('node_modules/.cache/fuzz/report.json', JSON.stringify({ seed, all }, null, 2));
process.exit(findings.length === 0 ? 0 : 1);

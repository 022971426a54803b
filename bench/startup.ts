import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { bootstrapPeelCreds } from '../src/creds/bootstrap.js';
import { generateKeyBundle } from '../src/nkeys/key-bundle.js';
import { median } from './bulk/rounds.js';
import { duration, printBars } from './report.js';

const ROUNDS = 41;

/** How long a command takes to start, against Node with nothing to do. In turns; each is compared with its own round. */
export async function startup(): Promise<boolean> {
  const dir = await mkdtemp(join(tmpdir(), 'zester-bench-'));
  const main = resolve('dist/cli/main.js'); // npm runs this in the package's directory
  try {
    const path = join(dir, 'web-01.creds');
    await bootstrapPeelCreds(generateKeyBundle('account'), 'web-01', path);
    const subjects = {
      'node -e 0': ['-e', '0'],
      'zester --version': [main, '--version'],
      'zester creds inspect': [main, 'creds', 'inspect', path],
    };
    const entries = Object.entries(subjects);
    const times = Object.fromEntries(entries.map(([name]) => [name, [] as number[]]));
    for (let round = 0; round < ROUNDS; round++) {
      for (const [name, args] of entries) {
        const start = performance.now();
        const { status } = spawnSync(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
        if (status !== 0) throw new Error(`${name} ended with ${status}`);
        times[name]?.push(performance.now() - start);
      }
      entries.reverse();
    }
    console.log(`startup: a whole process, wall time, median of ${ROUNDS}`);
    for (const [name] of Object.entries(subjects))
      console.log(`  ${name.padEnd(20)}  ${duration(median(times[name] ?? []) * 1_000).padStart(10)}`);
    const empty = times['node -e 0'] ?? [];
    const ratio = (name: keyof typeof subjects) =>
      median((times[name] ?? []).map((time, round) => time / (empty[round] ?? NaN)));
    const kind = 'at most' as const;
    return printBars([
      { what: 'zester --version', ratio: ratio('zester --version'), bound: 1.5, kind },
      { what: 'zester creds inspect', ratio: ratio('zester creds inspect'), bound: 1.5, kind },
    ]);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

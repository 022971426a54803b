import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { generateKeyBundle } from '../src/nkeys/key-bundle.js';
import { memoryOf, startMaster, withFleet, type BenchFleet } from './fleet.js';
import { duration, printBars, type Bar } from './report.js';
import { addRecords } from './storm/records.js';

const DEFAULT_RECORDS = [1_000, 10_000];
/** Records that the bars are about. */
const MANY = 100_000;
const KIB_PER_RECORD_BAR = 3;
const START_SECONDS_BAR = 8;
const LIST_SECONDS_BAR = 3;

/**
 * What a registry costs a master and those who list it. Needs `npm run build` first: the masters and lists are `zester`,
 * processes of their own.
 *
 * @param sizes numbers of records, such as 100,000; 1,000 and 10,000 by default
 */
export async function registry(sizes: readonly number[]): Promise<boolean> {
  const counts = [0, ...[...(sizes.length === 0 ? DEFAULT_RECORDS : sizes)].sort((a, b) => a - b)];
  console.log('registry: a master and lists, by how many records there are');
  const bars: Bar[] = [];
  await withFleet(async (fleet) => {
    let there = 0;
    let emptyKib = 0;
    for (const count of counts) {
      await addMore(fleet, there, count);
      there = count;
      const master = await startMaster(fleet, 'manual');
      const kib = await memoryOf(master.pid);
      if (count === 0) emptyKib = kib;
      const each = count === 0 ? '' : `, ${((kib - emptyKib) / count).toFixed(1)} KiB for each record`;
      console.log(
        `  ${String(count).padStart(6)} records: answers ${duration(master.readyMs * 1_000)} after its start, ` +
          `${(kib / 1024).toFixed(0)} MiB resident${each}`,
      );
      if (count > 0) {
        const all = await list(fleet, ['--json']);
        const page = await list(fleet, ['--limit', '100']);
        const selected = await list(fleet, ['-l', 'env=prod', '--json']);
        const csv = await list(fleet, ['-o', 'csv']);
        const sorted = await list(fleet, ['--limit', '100', '--sort', 'expires']);
        console.log(
          `          "zester peel list --json": ${duration(all.ms * 1_000)}, its first line after ${duration(all.firstMs * 1_000)}; ` +
            `-l env=prod, a tenth: ${duration(selected.ms * 1_000)}; -o csv: ${duration(csv.ms * 1_000)}; --limit 100: ${duration(page.ms * 1_000)}; --limit 100 --sort expires: ${duration(sorted.ms * 1_000)}`,
        );
        const atMost = (what: string, ratio: number, bound: number, unit: string) =>
          bars.push({ what: `${count} records: ${what}`, ratio, bound, unit, kind: 'at most' });
        if (count >= MANY) {
          atMost('start', master.readyMs / 1_000, START_SECONDS_BAR, 's');
          atMost('list', all.ms / 1_000, LIST_SECONDS_BAR, 's');
          atMost('list of a tenth by label', selected.ms / 1_000, LIST_SECONDS_BAR, 's');
        }
        if (count >= 10_000) atMost('memory for each', (kib - emptyKib) / count, KIB_PER_RECORD_BAR, 'KiB');
      }
      await master.stop();
    }
  });
  return bars.length === 0 || printBars(bars);
}

/** @returns milliseconds until it ended, and until it printed something */
async function list(fleet: BenchFleet, options: readonly string[]): Promise<{ ms: number; firstMs: number }> {
  const begin = performance.now();
  const child = spawn(
    process.execPath,
    [
      resolve('dist/cli/main.js'),
      ...['peel', 'list', '--home', fleet.domain.home, '--servers', fleet.url],
      ...options,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let firstMs: number | undefined;
  child.stdout.on('data', () => (firstMs ??= performance.now() - begin));
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`zester peel list ended with ${code}`);
  const ms = performance.now() - begin;
  return { ms, firstMs: firstMs ?? ms };
}

async function addMore(fleet: BenchFleet, from: number, to: number): Promise<void> {
  if (from === to) return;
  const { peelSigning: issuer } = fleet.domain.publicKeys;
  const issuedAt = Math.floor(Date.now() / 1000);
  const peels = Array.from({ length: to - from }, (_, i) => {
    const { publicKey } = generateKeyBundle('user');
    const key = { publicKey, issuer, issuedAt, expiresAt: issuedAt + 86_400 };
    return { peelId: `web-${from + i}`, key, labels: { env: i % 10 === 0 ? 'prod' : 'dev' } };
  });
  await addRecords(await fleet.master(), peels);
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { createWriteStream } from 'node:fs';
import { join, resolve } from 'node:path';
import { generateKeyBundle } from '../../src/nkeys/key-bundle.js';
import type { Bar } from '../report.js';
import { median } from './rounds.js';

const RUNS = 3;
const [FEW, MANY] = [10_000, 100_000];

/** The peak of the resident memory of the command for many peels against that for few: each a process of its own. */
export async function memory(dir: string): Promise<Bar[]> {
  const seed = join(dir, 'account.seed');
  await generateKeyBundle('account').saveSeedToFile(seed);
  for (const count of [FEW, MANY]) {
    const list = createWriteStream(join(dir, `${count}.txt`));
    for (let i = 0; i < count; i++) list.write(`web-server-${String(i).padStart(6, '0')}\n`);
    list.end();
    await once(list, 'finish');
  }
  // the peak is asked of the process itself, when it ends
  const probe = join(dir, 'probe.mjs');
  await writeFile(
    probe,
    "process.on('exit', () => process.stderr.write(`\\npeak ${process.resourceUsage().maxRSS}`));\n",
  );
  const out = join(dir, 'memory');
  const peakOf = async (count: number, sink: readonly string[]): Promise<number> => {
    await mkdir(out);
    const args = ['creds', 'issue', '--from', join(dir, `${count}.txt`), '--account-seed', seed, ...sink];
    const main = resolve('dist/cli/main.js');
    const child = spawn(process.execPath, ['--import', probe, main, ...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
      cwd: out,
    });
    let said = '';
    child.stderr.on('data', (text: Buffer) => (said += text.toString()));
    const [code] = (await once(child, 'close')) as [number | null];
    await rm(out, { recursive: true });
    const peak = /\npeak (\d+)$/.exec(said)?.[1];
    if (code !== 0 || peak === undefined) throw new Error(`zester ended with ${code}: ${said}`);
    return Number(peak) / 1024;
  };
  const bars: Bar[] = [];
  console.log('bulk: peak memory of the whole process (MiB, median)');
  for (const [name, sink] of [
    ['ndjson', ['--sink', 'ndjson']],
    ['files', []],
  ] as const) {
    const few: number[] = [];
    const many: number[] = [];
    for (let run = 0; run < RUNS; run++) {
      few.push(await peakOf(FEW, sink));
      many.push(await peakOf(MANY, sink));
    }
    console.log(
      `  ${name}: ${median(few).toFixed(0)} for ${FEW} peels, ${median(many).toFixed(0)} for ${MANY} peels`,
    );
    bars.push({
      what: `${name}: peak memory, ${MANY} peels against ${FEW}`,
      ratio: median(many) / median(few),
      bound: 1.2,
      kind: 'at most',
    });
  }
  return bars;
}

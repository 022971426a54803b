import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { againstGo } from './bulk/against-go.js';
import { cores } from './bulk/cores.js';
import { files } from './bulk/files.js';
import { memory } from './bulk/memory.js';
import { printBars, type Bar } from './report.js';

/** Credentials in bulk: into files, as ndjson on two cores, the memory of many, and one core's rate against Go. */
export async function bulk(): Promise<boolean> {
  const dir = await mkdtemp(join(tmpdir(), 'zester-bench-'));
  const bars: Bar[] = [];
  try {
    for (const part of [files, cores, memory, againstGo]) bars.push(...(await part(dir)));
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
  return printBars(bars);
}

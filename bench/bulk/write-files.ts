import { closeSync, fsyncSync, openSync, renameSync, writeSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';

/** A thread of the baseline of `files.ts`: writes the requested number of files durably, and reports when it is done. */
const { directory, thread } = workerData as { directory: string; thread: number };
/** About what a peel's credentials have with explicit permissions. */
const content = Buffer.alloc(2_000, 'x');
let written = 0;

parentPort?.on('message', (count: number) => {
  for (let i = 0; i < count; i++) {
    const path = `${directory}/${thread}-${written++}`;
    const file = openSync(`${path}.tmp`, 'wx', 0o600);
    writeSync(file, content);
    fsyncSync(file);
    closeSync(file);
    renameSync(`${path}.tmp`, path);
  }
  const parent = openSync(directory, 'r');
  fsyncSync(parent);
  closeSync(parent);
  parentPort?.postMessage('written');
});

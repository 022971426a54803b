// Preloaded into a process (with --expose-gc): on SIGUSR2 it prints the size of the live heap to standard error.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc');
process.on('SIGUSR2', () => {
  gc();
  process.stderr.write(`${JSON.stringify({ heapUsed: process.memoryUsage().heapUsed })}\n`);
});

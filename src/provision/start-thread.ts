// Starts a worker thread, from compiled code or source.
import { Worker, type WorkerOptions } from 'node:worker_threads';

/**
 * Starts a thread.
 *
 * @param program its program, beside the caller, as compiled (`.js`); in a checkout it is the source, which tsx loads
 */
export function startThread(program: URL, options: WorkerOptions): Worker {
  if (!import.meta.url.endsWith('.ts')) return new Worker(program, options);
  const source = program.href.replace(/\.js$/, '.ts');
  const load = `import('tsx/esm/api').then(({ register }) => { register(); return import('${source}'); });`;
  return new Worker(load, { ...options, eval: true });
}

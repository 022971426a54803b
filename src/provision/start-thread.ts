// Finds the program of a worker thread, and starts it from compiled code or source.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker, type WorkerOptions } from 'node:worker_threads';

/**
 * The program of a thread, in the same directory as the module that starts it. In a bundled program, the module is
 * elsewhere, or has no location at all (CommonJS), and a file of that name next to the bundle is untrusted: it must
 * not get a seed.
 *
 * @param moduleUrl `import.meta.url` of the module
 * @param place the module's path below the sources, without its extension
 * @param program the name of the program's file, without its extension
 * @returns undefined if there is none: then the caller works without a thread
 */
export function threadProgram(
  moduleUrl: string | undefined,
  place: string,
  program: string,
): URL | undefined {
  const [, ending] = /\/[^/]*(\.[jt]s)$/.exec(moduleUrl ?? '') ?? [];
  if (moduleUrl === undefined || ending === undefined) return undefined;
  if (!moduleUrl.startsWith('file:') || !moduleUrl.endsWith(`/${place}${ending}`)) return undefined;
  const url = new URL(program + ending, moduleUrl);
  return existsSync(fileURLToPath(url)) ? url : undefined;
}

/**
 * Starts a thread.
 *
 * @param program from {@link threadProgram}: compiled code, or in a checkout the source, which esbuild bundles
 */
export function startThread(program: URL, options: WorkerOptions): Worker {
  if (!program.href.endsWith('.ts')) return new Worker(program, options);
  const load = `
    const { buildSync } = require('node:module').createRequire(${JSON.stringify(program.href)})('esbuild');
    // with the packages: the bundle has no place in which they would be found
    const { outputFiles: [bundle] } = buildSync({
      entryPoints: [${JSON.stringify(fileURLToPath(program))}],
      bundle: true, write: false, platform: 'node', format: 'cjs', target: 'node20', logLevel: 'error',
      define: { 'import.meta.url': ${JSON.stringify(JSON.stringify(program.href))} },
    });
    new Function('require', 'module', 'exports', bundle.text)(require, {}, {});`;
  return new Worker(load, { ...options, eval: true });
}

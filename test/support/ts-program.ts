// Bundles TypeScript programs that tests run as processes of their own: a bundle starts several times as fast as the sources.
import { buildSync } from 'esbuild';
import { renameSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** Inside the checkout, so that a bundle finds the packages. */
const BUNDLES = join(ROOT, 'node_modules/.cache/test-programs');

/** The bundles of this process, by their programs. */
const bundles = new Map<string, string>();

/**
 * A program as Node.js can run it: bundled with the sources that it imports. Packages stay outside, and `zester` is the
 * source, as tsconfig.json has it.
 *
 * @param path the program, in TypeScript, in this checkout
 * @returns the path of the bundle
 */
export function tsProgram(path: string): string {
  const known = bundles.get(path);
  if (known !== undefined) return known;
  const bundle = join(BUNDLES, relative(ROOT, path).replaceAll('/', '-').replace(/\.ts$/, '.mjs'));
  // others may make the same one now, or start it
  const unfinished = `${bundle}.${process.pid}`;
  buildSync({
    entryPoints: [path],
    outfile: unfinished,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20',
    keepNames: true,
    tsconfig: join(ROOT, 'tsconfig.json'),
    logLevel: 'error',
  });
  renameSync(unfinished, bundle);
  bundles.set(path, bundle);
  return bundle;
}

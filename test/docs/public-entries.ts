// The entry points of the package, and their sources.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Such as `zester/peel`, and the path of its source. */
export async function publicEntries(): Promise<Map<string, string>> {
  const { exports } = JSON.parse(await readFile(`${ROOT}package.json`, 'utf8')) as {
    exports: Record<string, string | { types: string }>;
  };
  const entries = new Map<string, string>();
  for (const [entry, target] of Object.entries(exports)) {
    if (typeof target === 'string') continue;
    const source = target.types.replace('./dist/', `${ROOT}src/`).replace(/\.d\.ts$/, '.ts');
    entries.set(`zester${entry.slice(1)}`, source);
  }
  return entries;
}

import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const BUILT = join(ROOT, 'dist/cli/main.js');

/** Whether the build is up to date with the sources. */
function isUpToDate(): boolean {
  if (!existsSync(BUILT)) return false;
  const built = statSync(BUILT).mtimeMs;
  return readdirSync(join(ROOT, 'src'), { recursive: true, withFileTypes: true }).every(
    (entry) => statSync(join(entry.parentPath, entry.name)).mtimeMs <= built,
  );
}

/** Whether the build is up to date: it starts several times as fast, and there are hundreds of starts. */
export const isBuilt = isUpToDate();

/** Arguments for Node.js to run `zester` as a separate process: the build if it is up to date, else the sources. */
export const ZESTER: readonly string[] = isBuilt
  ? [BUILT]
  : ['--import', import.meta.resolve('tsx'), join(ROOT, 'src/cli/main.ts')];

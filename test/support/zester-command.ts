import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const BUILT = join(ROOT, 'dist/cli/main.js');

/** Whether `npm run build` has seen the sources as they are. */
function isUpToDate(): boolean {
  if (!existsSync(BUILT)) return false;
  const built = statSync(BUILT).mtimeMs;
  return readdirSync(join(ROOT, 'src'), { recursive: true, withFileTypes: true }).every(
    (entry) => statSync(join(entry.parentPath, entry.name)).mtimeMs <= built,
  );
}

/** Whether the build is what the sources are: it starts several times as fast, and there are hundreds of starts. */
export const isBuilt = isUpToDate();

/** What Node.js is given to run `zester` as a process of its own, before its arguments: the build, or the sources. */
export const ZESTER: readonly string[] = isBuilt
  ? [BUILT]
  : ['--import', import.meta.resolve('tsx'), join(ROOT, 'src/cli/main.ts')];

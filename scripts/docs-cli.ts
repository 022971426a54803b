/** Writes docs/cli.md and man/zester.1 from the declarations of the commands. */
import { mkdir, writeFile } from 'node:fs/promises';
import { manPage } from '../src/cli/command/man-page.js';
import { cliReference } from '../src/cli/command/reference.js';
import { loadCommands } from '../src/cli/command/tree.js';

const root = new URL('..', import.meta.url);
const nodes = await loadCommands();
await mkdir(new URL('man/', root), { recursive: true });
await writeFile(new URL('docs/cli.md', root), cliReference(nodes));
await writeFile(new URL('man/zester.1', root), manPage(nodes));

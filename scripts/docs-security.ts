/** Writes the isolation matrix into docs/security.md: `npm run docs:security`. */
import { readFile, writeFile } from 'node:fs/promises';
import { withIsolationMatrix } from '../test/security/isolation-matrix.js';

const PATH = 'docs/security.md';
await writeFile(PATH, withIsolationMatrix(await readFile(PATH, 'utf8')));

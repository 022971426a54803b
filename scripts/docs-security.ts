/** Writes the tables of tests into docs/security.md: `npm run docs:security`. */
import { readFile, writeFile } from 'node:fs/promises';
import { withIsolationMatrix } from '../test/security/isolation-matrix.js';
import { withTokenDifferences } from '../test/security/tokens/differences.js';

const PATH = 'docs/security.md';
await writeFile(PATH, withTokenDifferences(withIsolationMatrix(await readFile(PATH, 'utf8'))));

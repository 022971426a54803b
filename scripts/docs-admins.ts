/** Writes the table of roles and requests into docs/admins.md: `npm run docs:admins`. */
import { readFile, writeFile } from 'node:fs/promises';
import { withRoleTable } from '../test/support/admin-matrix.js';

const PATH = 'docs/admins.md';
await writeFile(PATH, withRoleTable(await readFile(PATH, 'utf8')));

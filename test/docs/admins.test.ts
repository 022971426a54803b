import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { withRoleTable } from '../support/admin-matrix.js';

it('docs/admins.md has the table of roles that masters use ("npm run docs:admins")', async () => {
  const document = await readFile('docs/admins.md', 'utf8');
  expect(withRoleTable(document)).toBe(document);
});

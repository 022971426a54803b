// docs/security.md is complete: its matrix is the tested one, and each promise names an existing test.
import { access, readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { withIsolationMatrix } from './isolation-matrix.js';
import { withTokenDifferences } from './tokens/differences.js';

const PATH = 'docs/security.md';

const HEADING = '## Promises and their tests';

/** The rows of the table of promises. */
function promisesIn(document: string): { about: string; file: string; name: string }[] {
  const table = document.slice(document.indexOf(HEADING));
  const rows = table.split('\n').filter((line) => line.startsWith('| ') && !/^\| (---|about)/.test(line));
  return rows.map((row) => {
    const parts = /^\| (?<about>[^|]+) \| [^|]+ \| `(?<file>[^`]+)`: "(?<name>.+)" \|$/.exec(row)?.groups;
    const { about = '', file = '', name = '' } = parts ?? {};
    expect(file, row).not.toBe('');
    return { about, file, name };
  });
}

describe('the security document', () => {
  it('has the isolation matrix that is tested', async () => {
    const document = await readFile(PATH, 'utf8');
    expect(withIsolationMatrix(document)).toBe(document);
  });

  it('lists the differences between verdicts on tokens that are tested', async () => {
    const document = await readFile(PATH, 'utf8');
    expect(withTokenDifferences(document)).toBe(document);
  });

  it('names existing tests for each of its sections', async () => {
    const document = await readFile(PATH, 'utf8');
    const all = promisesIn(document);
    const before = document.slice(0, document.indexOf(HEADING));
    const sections = [...before.matchAll(/^##+ (.+)$/gm)].map(([, title]) => title);
    // its subsections are checked instead
    const expected = sections.filter((title) => title !== 'What a thief gains');
    expect([...new Set(all.map(({ about }) => about))].toSorted()).toEqual(expected.toSorted());
    for (const { file, name } of all) {
      await access(file);
      const source = await readFile(file, 'utf8');
      // within a quoted name, not in a comment or in code
      const isNamed = source.split('\n').some((line) => /^[^/]*['"`[]/.test(line) && line.includes(name));
      expect(isNamed, `${file}: ${name}`).toBe(true);
    }
  });
});

// docs/security.md is whole: its matrix is the tested one, and each promise names a test that is there.
import { access, readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { withIsolationMatrix } from './isolation-matrix.js';
import { withTokenDifferences } from './tokens/differences.js';

const PATH = 'docs/security.md';

/** The rows of the table of promises. */
async function promises(): Promise<{ promise: string; file: string; name: string }[]> {
  const document = await readFile(PATH, 'utf8');
  const table = document.slice(document.indexOf('## Promises and their tests'));
  const rows = table.split('\n').filter((line) => line.startsWith('| ') && !/^\| (---|promise)/.test(line));
  return rows.map((row) => {
    const parts = /^\| (?<promise>.+?) +\| `(?<file>[^`]+)`: "(?<name>.+)" +\|$/.exec(row)?.groups;
    const { promise = '', file = '', name = '' } = parts ?? {};
    expect(file, row).not.toBe('');
    return { promise, file, name };
  });
}

describe('the security document', () => {
  it('has the isolation matrix that is tested', async () => {
    const document = await readFile(PATH, 'utf8');
    expect(withIsolationMatrix(document)).toBe(document);
  });

  it('names where verdicts on tokens differ, as they are tested', async () => {
    const document = await readFile(PATH, 'utf8');
    expect(withTokenDifferences(document)).toBe(document);
  });

  it('names a test for each promise, which is there', async () => {
    const all = await promises();
    expect(all.length).toBeGreaterThan(20);
    for (const { file, name } of all) {
      await access(file);
      expect(await readFile(file, 'utf8'), file).toContain(name);
    }
  });
});

import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { manPage } from '../../src/cli/command/man-page.js';
import { cliReference } from '../../src/cli/command/reference.js';
import { loadCommands } from '../../src/cli/command/tree.js';
import { zester } from './run-zester.js';

const nodes = await loadCommands();
const root = new URL('../../', import.meta.url);
const UPDATE = 'run "npm run docs:cli"';

function hasManReader(): boolean {
  try {
    execFileSync('mandoc', ['-V'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** The words of every runnable command. */
const commands = nodes.flatMap((node) => [
  ...(node.declared.kind === 'command' ? [[node.name]] : []),
  ...node.verbs.map(({ name }) => [node.name, name]),
]);

describe('the documents of the commands', () => {
  it('docs/cli.md agrees with the declarations', async () => {
    expect(await readFile(new URL('docs/cli.md', root), 'utf8'), UPDATE).toBe(cliReference(nodes));
  });

  it('the man page agrees with the declarations', async () => {
    expect(await readFile(new URL('man/zester.1', root), 'utf8'), UPDATE).toBe(manPage(nodes));
  });

  it.skipIf(!hasManReader())('the man page is one that mandoc reads without a complaint', () => {
    execFileSync('mandoc', ['-T', 'lint', '-W', 'error', 'man/zester.1'], { cwd: root });
  });
});

describe('the help', () => {
  it.each(commands.map((words) => [words.join(' '), words] as const))(
    'of "zester %s" is at most a screen: 50 lines of 80 characters',
    async (_name, words) => {
      const { stdout } = await zester([...words, '--help']);
      const lines = stdout.trimEnd().split('\n');

      expect(lines.length).toBeLessThanOrEqual(50);
      // an example may be longer: users copy it
      const tooLong = lines.filter((line) => line.length > 80 && !line.startsWith('  $ '));
      expect(tooLong).toEqual([]);
    },
  );

  it('of zester itself lists every command within a screen', async () => {
    const { stdout } = await zester(['--help']);

    expect(stdout.trimEnd().split('\n').length).toBeLessThanOrEqual(50);
    for (const { name } of nodes) expect(stdout).toMatch(new RegExp(`^  ${name}\\b`, 'm'));
  });
});

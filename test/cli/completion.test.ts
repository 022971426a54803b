import { execFileSync, spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { zester } from './run-zester.js';

const has = (shell: string) => spawnSync(shell, ['-c', 'true']).status === 0;

async function script(shell: string): Promise<string> {
  const { code, stdout } = await zester(['completion', shell]);
  expect(code).toBe(0);
  return stdout;
}

/** The completions that bash offers for the last word of a line. */
async function bashOffers(line: string): Promise<string[]> {
  const words = line.split(' ');
  const program = `${await script('bash')}
COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}
_zester; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return execFileSync('bash', ['-c', program], { encoding: 'utf8' }).trim().split('\n');
}

describe('zester completion', () => {
  it('completes commands, verbs, choices and options in bash', async () => {
    expect(await bashOffers('zester cr')).toEqual(['creds']);
    expect(await bashOffers('zester creds ')).toEqual(
      expect.arrayContaining(['bootstrap', 'inspect', 'verify']),
    );
    expect(await bashOffers('zester keys generate ac')).toEqual(['account']);
    expect(await bashOffers('zester creds bootstrap web-01 --acc')).toEqual(['--account-seed']);
  });

  it.skipIf(!has('zsh'))('is a script that zsh reads', async () => {
    expect(spawnSync('zsh', ['-n', '-c', await script('zsh')]).status).toBe(0);
  });

  it.skipIf(!has('fish'))('is a script that fish reads', async () => {
    expect(spawnSync('fish', ['--no-execute', '-c', await script('fish')]).status).toBe(0);
  });

  it('names every command and option for zsh and fish too', async () => {
    for (const shell of ['zsh', 'fish']) {
      const text = await script(shell);
      for (const word of ['bootstrap', 'generate', 'demo', 'operator']) expect(text).toContain(word);
      expect(text).toContain(shell === 'fish' ? '-l account-seed' : '--account-seed');
    }
  });

  it('refuses another shell', async () => {
    expect((await zester(['completion', 'csh'])).code).toBe(2);
  });
});

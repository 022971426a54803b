import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { findNatsServer } from '../../../src/nats-server/find.js';
import { atEnd } from '../../support/cleanup.js';
import { freePort } from '../../support/free-port.js';
import { tempDir } from '../../support/temp-dir.js';
import { SEED } from '../../support/refusal.js';
import { ZESTER } from '../../support/zester-command.js';

const file = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));

it(
  'the README’s three commands lead from an empty home to a peel that answers a ping',
  { timeout: 120_000 },
  async () => {
    const readme = await readFile(file('README.md'), 'utf8');
    const [, block = ''] = /## A fleet\n[^`]*```sh\n([^`]*)```/.exec(readme) ?? [];
    expect(block.trimEnd().split('\n')).toHaveLength(3);
    const dir = await tempDir();
    // what npm would install
    await mkdir(join(dir, 'bin'));
    const zester = join(dir, 'bin', 'zester');
    const main = `exec ${[process.execPath, ...ZESTER].join(' ')} "$@"`;
    await writeFile(zester, `#!/bin/sh\n${main}\n`);
    await chmod(zester, 0o755);
    const shell = spawn('bash', ['-c', `${block}\nended=$?\nkill %1 %2\nwait\nexit $ended`], {
      cwd: dir,
      // its own process group, so that all of it can be killed
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: `${join(dir, 'bin')}:${process.env['PATH'] ?? ''}`,
        ZESTER_NATS_SERVER: await findNatsServer(),
        HOME: dir,
        ZESTER_PORT: String(await freePort()),
      },
    });
    let stdout = '';
    let stderr = '';
    shell.stdout.on('data', (data: Buffer) => (stdout += data.toString()));
    shell.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
    const closed = once(shell, 'close');
    atEnd(async () => {
      try {
        process.kill(-(shell.pid ?? 0), 'SIGKILL');
      } catch {
        // it has ended
      }
      await closed;
    });
    const [code] = (await closed) as [number];
    expect(code, stdout + stderr).toBe(0);
    expect(stdout).toMatch(/^ok +web-01: [\d.]+ ms$/m);
    expect(stdout).toMatch(/^ready: server /m);
    expect(stdout + stderr).not.toMatch(SEED);
  },
);

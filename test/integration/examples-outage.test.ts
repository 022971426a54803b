import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { atEnd } from '../support/cleanup.js';
import { startOperatorServer } from '../support/operator-server.js';
import { tempDir } from '../support/temp-dir.js';
import { tsProgram } from '../support/ts-program.js';
import { waitFor } from '../support/wait-for.js';

const root = new URL('../../', import.meta.url);
const pathOf = (name: string) => fileURLToPath(new URL(name, root));

describe.each([
  {
    example: 'examples/agent.ts',
    args: (credsPath: string, url: string) => ['web-01', credsPath, url],
  },
  {
    example: 'examples/fleet-agent.ts',
    args: (_credsPath: string, url: string) => ['web-01', 'join.creds', url],
  },
])('$example', ({ example, args }) => {
  it('ends on a signal during an outage, without an error', async () => {
    const server = await startOperatorServer();
    const cwd = await tempDir();
    const credsPath = await server.bootstrap('web-01', { path: join(cwd, 'web-01.creds') });
    const agent = spawn(process.execPath, [tsProgram(pathOf(example)), ...args(credsPath, server.url)], {
      cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [agent.stdout, agent.stderr]) stream.on('data', (data) => (output += String(data)));
    const ended = once(agent, 'exit');
    atEnd(async () => agent.kill('SIGKILL'));

    await waitFor('the connection', () => output.includes('is connected to'));
    await server.kill('SIGKILL');
    await waitFor('the outage', () => output.includes('buffering'));
    agent.kill('SIGTERM');

    expect(await ended, output).toEqual([0, null]);
    expect(output).not.toMatch(/unhandled|\n {4}at /i);
  });
});

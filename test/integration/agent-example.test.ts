import { connect } from '@nats-io/transport-node';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { requestPeel } from '../../src/fleet-client/request-peel.js';
import { atEnd } from '../support/cleanup.js';
import { startOperatorServer } from '../support/operator-server.js';
import { tsProgram } from '../support/ts-program.js';
import { waitFor } from '../support/wait-for.js';
import { SEED } from '../support/refusal.js';

const EXAMPLE = new URL('../../examples/agent.ts', import.meta.url);

it('the README shows the agent of examples/agent.ts, in thirty lines', async () => {
  const [readme, agent] = await Promise.all([
    readFile(new URL('../../README.md', import.meta.url), 'utf8'),
    readFile(EXAMPLE, 'utf8'),
  ]);
  expect(readme).toContain(`\`\`\`ts\n${agent}\`\`\``);
  expect(agent.trimEnd().split('\n').length).toBeLessThanOrEqual(30);
});

it('the agent answers commands through a rotation and a server restart, until it is stopped', async () => {
  const server = await startOperatorServer();
  const credsPath = await server.bootstrap('web-01');
  const agent = spawn(process.execPath, [tsProgram(EXAMPLE.pathname), 'web-01', credsPath, server.url], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [agent.stdout, agent.stderr]) stream.on('data', (data) => (output += String(data)));
  const ended = once(agent, 'exit');
  atEnd(async () => agent.kill('SIGKILL'));
  const admin = await connect({ ...(await server.userOptions('admin')), maxReconnectAttempts: -1 });
  atEnd(() => admin.close());
  const uptime = async (): Promise<number> => {
    const answer = await requestPeel(admin, 'web-01', '', { command: 'uptime', timeoutMs: 1_000 });
    return answer.json<{ uptime: number }>().uptime;
  };

  expect(await waitFor('the first answer', uptime)).toBeGreaterThan(0);
  await server.bootstrap('web-01', { path: credsPath });
  await waitFor('the rotation', () => output.includes('uses the new credentials'));
  expect(await waitFor('an answer with the new key', uptime)).toBeGreaterThan(0);
  await server.restart();
  expect(await waitFor('an answer after the restart', uptime)).toBeGreaterThan(0);
  agent.kill('SIGTERM');
  expect(await ended).toEqual([0, null]);
  expect(output).not.toMatch(SEED);
}, 60_000);

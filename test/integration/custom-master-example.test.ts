import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { connectedUsers } from '../../src/system-account/connected-users.js';
import { connectSystem } from '../../src/system-account/system-connection.js';
import { generateKeyBundle } from '../../src/nkeys/key-bundle.js';
import { atEnd } from '../support/cleanup.js';
import { refusal, SEED } from '../support/refusal.js';
import { tsProgram } from '../support/ts-program.js';
import { waitFor } from '../support/wait-for.js';
import { createToken } from './fleet/asking.js';
import { Fleet } from './fleet/fleet.js';
import { startHome } from './trust/support.js';

const EXAMPLE = fileURLToPath(new URL('../../examples/custom-master.ts', import.meta.url));

/** The number of connections of the fleet's master, in both accounts, including that of this query. */
async function connectionsOfMaster(fleet: Fleet): Promise<number> {
  const domain = await fleet.home.domain();
  const { account, systemAccount } = domain.publicKeys;
  const nc = await connectSystem(domain, { servers: fleet.servers });
  try {
    const all = await Promise.all([connectedUsers(nc, account), connectedUsers(nc, systemAccount)]);
    return all.flatMap(({ users }) => users).filter(({ name }) => /^zester-(master|system)/.test(name))
      .length;
  } finally {
    await nc.close();
  }
}

it('the custom master has at most 60 lines', async () => {
  expect((await readFile(EXAMPLE, 'utf8')).trimEnd().split('\n').length).toBeLessThanOrEqual(60);
});

it('the custom master decides by its inventory, before and after an outage, until it is stopped', async () => {
  const fleet = new Fleet(await startHome());
  const inventory = join(fleet.home.dir, 'inventory.json');
  const inventoryHas = (hosts: object) => writeFile(inventory, JSON.stringify(hosts));
  await inventoryHas({ 'web-1': 'install', 'web-2': 'install', 'old-1': 'retired' });
  const master = spawn(process.execPath, [tsProgram(EXAMPLE), fleet.home.home, inventory, ...fleet.servers], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [master.stdout, master.stderr]) stream.on('data', (data) => (output += String(data)));
  const ended = once(master, 'exit');
  atEnd(async () => master.kill('SIGKILL'));
  await waitFor('the master', () => output.includes('is ready'), 60_000);
  const connections = await connectionsOfMaster(fleet);
  const token = await createToken(await fleet.admin(), fleet);
  const newKey = () => generateKeyBundle('user');

  await token.joined('web-1', newKey());
  await refusal('ERR_FLEET_REJECTED', () => token.join('old-1', newKey()));
  const unknown = newKey();
  expect(await token.join('new-1', unknown)).toMatchObject({ state: 'pending' });
  await writeFile(inventory, 'no JSON');
  expect(await token.join('new-1', unknown)).toMatchObject({ state: 'pending' });
  await waitFor('the warning about the policy', () => output.includes('new-1 is pending: the policy threw'));

  const server = fleet.home.node(0);
  await server.kill('SIGKILL');
  await inventoryHas({ 'new-1': 'install' });
  await waitFor('the outage', () => output.includes('buffering'));
  await server.start();
  const accepted = await waitFor('a decision after the outage', async () => {
    const answer = await token.join('new-1', unknown);
    return answer.state === 'accepted' && answer;
  });
  expect(accepted.jwt).not.toBe('');
  await waitFor('every connection', async () => (await connectionsOfMaster(fleet)) >= connections);

  // in an outage, too. It is not awaited in the log: the master may not have noticed the end of the first one yet, which
  // the server sees before, and logs an outage of several connections once
  await server.kill('SIGKILL');
  master.kill('SIGTERM');
  expect(await ended, output).toEqual([0, null]);
  expect(output).toMatch(/accepted web-1 by custom[^]*rejected old-1 by custom[^]*accepted new-1 by custom/);
  expect(output).not.toMatch(/unhandled|\n {4}at /i);
  expect(output).not.toMatch(SEED);
}, 90_000);

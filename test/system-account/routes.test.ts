import { expect, it } from 'vitest';
import { listServers } from '../../src/system-account/servers.js';
import { connectSystem } from '../../src/system-account/system-connection.js';
import { atEnd } from '../support/cleanup.js';
import { waitFor } from '../support/wait-for.js';
import { startHomeCluster } from '../integration/trust/support.js';

it('a server lists its routes by name, and loses that of a killed server', async () => {
  const cluster = await startHomeCluster();
  const nc = await connectSystem(await cluster.domain(), { servers: cluster.servers.slice(0, 1) });
  atEnd(() => nc.close());
  const routes = async () =>
    new Map(
      (await listServers(nc, { stallMs: 3_000 })).map(({ name, routes }) => [name, [...routes].sort()]),
    );
  const names = [
    ...(await waitFor('three servers', async () => (await routes()).size === 3 && routes())).keys(),
  ];
  const all = await waitFor('every route', async () => {
    const now = await routes();
    return [...now.values()].every((to) => to.length === 2) && now;
  });
  for (const [name, to] of all) expect(to).toEqual(names.filter((other) => other !== name).sort());

  await cluster.node(2).kill('SIGKILL');
  const left = await waitFor('the end of its routes', async () => {
    const now = await routes();
    return now.size === 2 && [...now.values()].every((to) => to.length === 1) && now;
  });
  expect([...left.values()].flat().sort()).toEqual(names.filter((name) => left.has(name)));
});

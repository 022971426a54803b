import { expect, it } from 'vitest';
import { DirectConnections } from '../../src/system-account/direct-connections.js';
import { listServers } from '../../src/system-account/servers.js';
import { connectSystem } from '../../src/system-account/system-connection.js';
import { startHome, startHomeCluster } from '../integration/trust/support.js';
import { atEnd } from '../support/cleanup.js';
import { waitFor } from '../support/wait-for.js';

it('a server that restarts soon has a direct connection again, under its new ID', async () => {
  const home = await startHomeCluster();
  const domain = await home.domain();
  const main = await connectSystem(domain, { servers: [home.node(0).url] });
  atEnd(() => main.close());
  const direct = new DirectConnections(main, home.servers, (only) =>
    connectSystem(domain, { servers: home.servers, only }),
  );
  atEnd(() => direct.close());
  await direct.open();
  const before = await listServers(main);
  expect(before.map(({ id }) => direct.has(id))).toEqual([true, true, true]);

  await home.node(1).restart();

  const known = new Set(before.map(({ id }) => id));
  await waitFor('a connection to the new server', async () => {
    const restarted = (await listServers(main)).find(({ id }) => !known.has(id));
    return restarted !== undefined && direct.has(restarted.id);
  });
});

it('an account JWT waits until the servers are done with the last one, unless it is the same', async () => {
  const home = await startHome();
  const main = await connectSystem(await home.domain(), { servers: home.servers });
  atEnd(() => main.close());
  const direct = new DirectConnections(main, home.servers);
  const order: string[] = [];
  const done: (() => void)[] = [];
  const busy = () => new Promise<void>((resolve) => done.push(resolve));
  direct.settling('first', busy());
  direct.settling('first', busy());

  await direct.settled('first');
  order.push('the same');
  const other = direct.settled('second').then(() => order.push('another'));
  const any = direct.settled().then(() => order.push('any'));
  for (const resolve of done) {
    order.push('a server is done');
    resolve();
    await new Promise(setImmediate);
  }
  await Promise.all([other, any]);

  expect(order).toEqual(['the same', 'a server is done', 'a server is done', 'another', 'any']);
});

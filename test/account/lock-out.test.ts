import { errors, type NatsConnection } from '@nats-io/transport-node';
import { expect, it } from 'vitest';
import { revocationBan } from '../../src/account/ban.js';
import { connectedTo } from '../../src/account/change-account.js';
import { lockOut } from '../../src/account/lock-out.js';
import { generateKeyBundle } from '../../src/nkeys/key-bundle.js';
import type { DirectConnections } from '../../src/system-account/direct-connections.js';
import { connectSystem } from '../../src/system-account/system-connection.js';
import { startHome } from '../integration/trust/support.js';
import { atEnd } from '../support/cleanup.js';

it('a server that does not say who is connected has not locked anyone out', async () => {
  const home = await startHome();
  const domain = await home.domain();
  const nc = await connectSystem(domain, { servers: home.servers });
  atEnd(() => nc.close());
  const connected = await connectedTo(nc, home.servers);
  const names = connected.up.map(({ name }) => name);
  const key = generateKeyBundle('user').publicKey;
  const ban = revocationBan(new Map([[key, 1]]));
  const pushed = { jwt: domain.accountJwt, confirmed: names };

  const answering = await lockOut(connected, domain, ban, pushed);
  expect([answering.occupied, [...answering.left]]).toEqual([[], []]);

  // a busy server answers everything but the list
  const silent = Object.create(nc) as NatsConnection;
  silent.request = async (subject, data) => {
    if (subject.endsWith('.CONNZ')) throw new errors.TimeoutError();
    return nc.request(subject, data, { timeout: 5_000 });
  };
  const direct = { has: () => true, over: () => silent } as unknown as DirectConnections;
  const { occupied, left } = await lockOut({ ...connected, direct }, domain, ban, pushed);
  expect(occupied).toEqual(names.map((server) => ({ server, problem: 'it did not say who is connected' })));
  expect([...left]).toEqual([key]);
});

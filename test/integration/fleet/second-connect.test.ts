import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { writeCredsFile } from '../../../src/creds/generate.js';
import { createUserJwt } from '../../../src/jwt/user.js';
import { contextOf } from '../../../src/master/context-of.js';
import { generateKeyBundle } from '../../../src/nkeys/key-bundle.js';
import { peelUserJwtOptions } from '../../../src/permissions/roles.js';
import { atEnd } from '../../support/cleanup.js';
import { rawClient } from '../../support/raw-client.js';
import { TcpProxy } from '../../support/tcp-proxy.js';
import { waitFor } from '../../support/wait-for.js';
import { startHome } from '../trust/support.js';
import { Fleet } from './fleet.js';
import { addCreds } from './peels.js';

/** A fleet whose master connects through a proxy, and a thief who holds a signing key and a peel's credentials. */
async function fleetWithThief() {
  const fleet = new Fleet(await startHome());
  const [node] = fleet.home.nodes;
  if (node === undefined) throw new Error('one server');
  const proxy = await TcpProxy.start(() => node.port);
  atEnd(() => proxy.close());
  const servers = [proxy.url];
  await fleet.startMaster({ servers });
  await waitFor('it to watch', () => fleet.master.watching);
  const admin = await fleet.admin();
  const own = await addCreds(fleet, admin, 'web-1');
  await addCreds(fleet, admin, 'db-1');
  const domain = await fleet.home.domain();
  const key = generateKeyBundle('user');
  const minted = join(fleet.home.dir, 'minted.creds');
  // 2.15 cuts a scoped user itself, some time after the second CONNECT
  const options = peelUserJwtOptions('db-1', domain.publicKeys.account, { scoped: false });
  await writeCredsFile(minted, createUserJwt(key, await domain.accountKey(), options), key.seed);

  const client = await rawClient(node.port);
  await client.connectAs(own);
  await fleet.record('web-1', ({ state }) => state === 'active');
  return { fleet, proxy, client, minted, publicKey: key.publicKey };
}

const connections = (fleet: Fleet, id: string) =>
  contextOf(fleet.master).presence.get(id)?.connections.length ?? 0;

describe('a connection that sends another CONNECT, as another peel', () => {
  it('is judged as that peel', async () => {
    const { fleet, client, minted, publicKey } = await fleetWithThief();
    await client.connectAs(minted);
    const { code } = await fleet.audited('connection.refused', (event) => event.publicKey === publicKey);
    expect(code).toBe('ERR_FLEET_ID_TAKEN');
    await client.closed;
    await waitFor('the master to know that it is gone', () =>
      ['web-1', 'db-1'].every((id) => connections(fleet, id) === 0),
    );
  });

  it('is judged as that peel even if the master was disconnected at the time', async () => {
    const { fleet, proxy, client, minted, publicKey } = await fleetWithThief();
    proxy.refuse(true);
    proxy.cut();
    await client.connectAs(minted);
    expect(client.errors).toEqual([]);
    proxy.refuse(false);
    const { code } = await fleet.audited('connection.refused', (event) => event.publicKey === publicKey);
    expect(code).toBe('ERR_FLEET_ID_TAKEN');
    await client.closed;
  });
});

import { connect } from '@nats-io/transport-node';
import { expect, it } from 'vitest';
import { loadCredsFile } from '../../../src/creds/parse.js';
import { newRequestId } from '../../../src/fleet/ask.js';
import { createUserJwt } from '../../../src/jwt/user.js';
import { generateKeyBundle } from '../../../src/nkeys/key-bundle.js';
import { writeCredsFile } from '../../../src/creds/generate.js';
import { atEnd } from '../../support/cleanup.js';
import { waitFor } from '../../support/wait-for.js';
import { startFleet } from './fleet.js';
import { join } from 'node:path';

it('of a peel that opens a hundred connections the newest are cut and named, and lists go on', async () => {
  const fleet = await startFleet({ lifetime: 900 });
  const admin = await fleet.admin();
  const key = generateKeyBundle('user');
  const { jwt } = await admin.ask('peel.add', {
    requestId: newRequestId(),
    peelId: 'crowd',
    publicKey: key.publicKey,
  });
  const path = join(fleet.home.dir, 'crowd.creds');
  await writeCredsFile(path, jwt, key.seed);
  const creds = await loadCredsFile(path);
  const open = await Promise.all(
    Array.from({ length: 100 }, async () => {
      const nc = await connect({ servers: fleet.servers, ...creds.natsOption(), reconnect: false });
      atEnd(() => nc.close());
      return nc;
    }),
  );
  await waitFor('the surplus to be cut', () => open.filter((nc) => nc.isClosed()).length === 36);
  await fleet.audited(
    'connection.refused',
    ({ peelId, code }) => peelId === 'crowd' && code === 'ERR_FLEET_RATE',
  );
  const listed = await waitFor('the count', async () => {
    for await (const { peels } of admin.stream('peel.list', {})) {
      const presence = peels.find(({ record }) => record.id === 'crowd')?.presence;
      if (presence?.count === 64) return presence;
    }
    return undefined;
  });
  expect(listed.connections).toHaveLength(8);
});

it('of a service that is no peel none is cut, whatever its name', async () => {
  const fleet = await startFleet();
  const domain = await fleet.home.domain();
  const [account, user] = [await domain.accountKey(), generateKeyBundle('user')];
  const permissions = { publish: { allow: ['orders.>'] }, subscribe: { allow: ['orders.>'] } };
  const path = join(fleet.home.dir, 'backend.creds');
  await writeCredsFile(path, createUserJwt(user, account, { name: 'backend', permissions }), user.seed);
  const creds = await loadCredsFile(path);
  const open = async () => {
    const nc = await connect({ servers: fleet.servers, ...creds.natsOption(), reconnect: false });
    atEnd(() => nc.close());
    return nc;
  };
  const all = await Promise.all(Array.from({ length: 70 }, open));
  // what comes after is judged after: a peel's surplus would be cut by then
  const admin = await fleet.admin();
  const key = generateKeyBundle('user');
  const request = { requestId: newRequestId(), peelId: 'last', publicKey: key.publicKey };
  const { jwt } = await admin.ask('peel.add', request);
  const lastPath = join(fleet.home.dir, 'last.creds');
  await writeCredsFile(lastPath, jwt, key.seed);
  const last = await connect({ servers: fleet.servers, ...(await loadCredsFile(lastPath)).natsOption() });
  atEnd(() => last.close());
  await fleet.record('last', ({ state }) => state === 'active');
  await Promise.all(all.map((nc) => nc.flush()));
  expect(all.filter((nc) => nc.isClosed())).toEqual([]);
});

import { connect } from '@nats-io/transport-node';
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { loadCredsFile } from '../../../src/creds/parse.js';
import { newRequestId } from '../../../src/protocol/admin-client.js';
import { createUserJwt } from '../../../src/jwt/user.js';
import { generateKeyBundle } from '../../../src/nkeys/key-bundle.js';
import { writeCredsFile } from '../../../src/creds/generate.js';
import { atEnd } from '../../support/cleanup.js';
import { waitFor } from '../../support/wait-for.js';
import { connectedUsers } from '../../../src/system-account/connected-users.js';
import { connectSystem } from '../../../src/system-account/system-connection.js';
import { zester } from '../../cli/run-zester.js';
import { startHome } from '../trust/support.js';
import { addPeel } from './asking.js';
import { Fleet, startFleet } from './fleet.js';
import { addCreds } from './peels.js';

it('cuts and names the newest connections of a peel that opens a hundred, and lists still work', async () => {
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

it('closes the newest connections of an admin above five hundred, and reports the admin', async () => {
  const fleet = await startFleet();
  const out = join(fleet.home.dir, 'eve.creds');
  const at = ['--home', fleet.home.home, '--servers', ...fleet.servers];
  const added = await zester(['admin', 'add', 'eve', '--role', 'viewer', '--out', out, ...at]);
  expect(added.code, added.stderr).toBe(0);
  const creds = await loadCredsFile(out);
  const open = await Promise.all(
    Array.from({ length: 530 }, async () => {
      const nc = await connect({
        servers: fleet.servers,
        ...creds.natsOption(),
        reconnect: false,
        timeout: 60_000,
      });
      atEnd(() => nc.close());
      return nc;
    }),
  );
  await waitFor('the surplus to be cut', () => open.filter((nc) => nc.isClosed()).length === 18);
  await fleet.audited(
    'connection.refused',
    ({ reason = '', code }) => code === 'ERR_FLEET_RATE' && reason.includes('"eve"'),
  );
});

it('does not cut connections of a service that is not a peel, even with a peel-like name', async () => {
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
  // later connections are judged later: a peel's surplus would be cut by then
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

it('connections with names of 100 kB break no list, no command and no audit', async () => {
  const home = await startHome();
  const server = home.node(0);
  await server.stop();
  // the maximum that a server can be configured for; by default, a client can send 4 KiB about itself
  await appendFile(server.configPath, '\nmax_control_line: 256KB\n');
  await server.start();
  const fleet = new Fleet(home);
  await fleet.startMaster({ lifetime: 900 });
  const admin = await fleet.admin();
  await addPeel(fleet, admin, 'quiet');
  const creds = await loadCredsFile(await addCreds(fleet, admin, 'loud'));
  // a character that servers escape as six
  const name = '<'.repeat(100_000);
  for (let i = 0; i < 40; i += 1) {
    const nc = await connect({
      servers: fleet.servers,
      ...creds.natsOption(),
      name: `${name}${i}`,
      reconnect: false,
    });
    atEnd(() => nc.close());
  }
  const run = async (...args: string[]) => {
    const result = await zester([...args, '--home', home.home, '--servers', ...fleet.servers]);
    expect(result.code, result.stderr).toBe(0);
    expect(result.stdout.length).toBeLessThan(100_000);
    expect(result.stdout).not.toContain('<<<<');
    return result.stdout;
  };
  await waitFor('the count', async () => {
    const { peels } = JSON.parse(await run('peel', 'list', '--json')) as {
      peels: { id: string; connected: boolean }[];
    };
    return peels.length === 2 && peels.every(({ connected }) => connected);
  });
  await run('peel', 'list');
  await run('peel', 'show', 'loud');
  await run('peel', 'show', 'loud', '--json');
  await run('audit');
  await run('audit', '--json');
  await run('doctor', '--json');
  // and another master that starts to watch gets all of them
  const next = await fleet.startMaster({ lifetime: 900 });
  await fleet.masters[0]?.stop();
  await waitFor('the other to watch', () => next.watching);
  await run('peel', 'revoke', 'loud', '--yes');
  const domain = await home.domain();
  const system = await connectSystem(domain, { servers: fleet.servers });
  atEnd(() => system.close());
  const { publicKey } = creds;
  const { users } = await connectedUsers(system, domain.publicKeys.account, { publicKey });
  expect(users).toEqual([]);
});

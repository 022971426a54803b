import { connect, type NatsConnection } from '@nats-io/transport-node';
import { describe, expect, it } from 'vitest';
import { connectedUsers } from '../../src/system-account/connected-users.js';
import { kick } from '../../src/system-account/kick.js';
import { compareVersions } from '../../src/system-account/server-versions.js';
import { natsOptionsForPeel } from '../../src/connection/options.js';
import { listServers } from '../../src/system-account/servers.js';
import { startHome } from '../integration/trust/support.js';
import { atEnd } from '../support/cleanup.js';

/** The ID of no server. */
const NOBODY = `N${'A'.repeat(55)}`;

async function canKick(nc: NatsConnection): Promise<boolean> {
  return (await listServers(nc)).every(({ version }) => compareVersions(version, '2.10.0') >= 0);
}

describe('kicking a connection', () => {
  it('closes that connection only, and reports a missing one as gone', async () => {
    const fleet = await startHome();
    const [one, two] = [await fleet.issue('web-01'), await fleet.issue('web-02')];
    const kicked = await fleet.peel('web-01', one.path);
    const other = await fleet.peel('web-02', two.path);
    const nc = await fleet.system();
    const account = (await fleet.domain()).publicKeys.account;
    const { users } = await connectedUsers(nc, account, { publicKey: one.publicKey });
    expect(users.map(({ publicKey, name }) => [publicKey, name])).toEqual([[one.publicKey, 'web-01']]);
    const connection = users[0];
    if (connection === undefined) throw new Error('unreachable');

    if (!(await canKick(nc))) {
      expect(await kick(nc, connection)).toBe('unanswered');
      return;
    }
    expect(await kick(nc, connection)).toBe('kicked');
    await kicked.cut;
    expect(await kick(nc, connection)).toBe('gone');
    expect(other.cuts(), 'the other stayed').toBe(0);
  });

  it('reports a missing server as not answering', async () => {
    const fleet = await startHome();
    const nc = await fleet.system();
    for (const server of [NOBODY, '>'])
      expect(await kick(nc, { server, cid: 1 }, { timeoutMs: 500 })).toBe('unanswered');
  });
});

describe('kicking with credentials that may not', () => {
  it('is unanswered, and no error', async () => {
    const fleet = await startHome();
    const { path } = await fleet.issue('web-01');
    const nc = await connect({ ...natsOptionsForPeel(path, 'web-01'), servers: fleet.servers });
    atEnd(() => nc.close());
    expect(await kick(nc, { server: NOBODY, cid: 1 }, { timeoutMs: 2_000 })).toBe('unanswered');
  });
});

describe('the connections of one user', () => {
  it('are all found among many others', async () => {
    const fleet = await startHome();
    const mine = await fleet.issue('web-01');
    for (let i = 0; i < 3; i += 1) await fleet.peel('web-01', mine.path);
    const other = await fleet.issue('web-02');
    for (let i = 0; i < 5; i += 1) await fleet.peel('web-02', other.path);
    const nc = await fleet.system();
    const account = (await fleet.domain()).publicKeys.account;
    const { users } = await connectedUsers(nc, account, { publicKey: mine.publicKey });
    expect(users.map(({ publicKey }) => publicKey)).toEqual(Array(3).fill(mine.publicKey));
    expect((await connectedUsers(nc, account)).users).toHaveLength(8);
  });
});

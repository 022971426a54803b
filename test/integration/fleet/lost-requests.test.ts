import { beforeAll, describe, expect, it } from 'vitest';
import { connectMaster } from '../../../src/connection/connect.js';
import { loadCredsFile } from '../../../src/creds/parse.js';
import { AdminClient } from '../../../src/protocol/admin-client.js';
import { MessageSigner } from '../../../src/protocol/signed.js';
import { atEnd } from '../../support/cleanup.js';
import { TcpProxy } from '../../support/tcp-proxy.js';
import { waitFor } from '../../support/wait-for.js';
import { startFleet, type Fleet } from './fleet.js';
import { addCreds } from './peels.js';

/** Longer than a test: nobody waits until a lost request times out. */
const TIMEOUT_MS = 120_000;

let fleet: Fleet;
let proxy: TcpProxy;
let admin: AdminClient;
beforeAll(async () => {
  fleet = await startFleet();
  const { paths } = await fleet.home.domain();
  const port = Number(new URL(fleet.home.node(0).url).port);
  proxy = await TcpProxy.start(() => port);
  atEnd(() => proxy.close());
  const options = { servers: proxy.url, credsPath: paths.adminCreds };
  const nc = await connectMaster({ ...options, reconnectTimeWait: 50, reconnectJitter: 0 });
  atEnd(() => nc.close());
  const creds = await loadCredsFile(paths.adminCreds);
  admin = new AdminClient(nc, new MessageSigner(creds), { timeoutMs: TIMEOUT_MS });
});

/** Sends a request whose connection stalls with it, and breaks. */
async function interrupted<T>(verb: string, isDelivered: boolean, act: () => Promise<T>): Promise<T> {
  const before = proxy.fromClients.length;
  proxy.stallWith(`zester.admin.${verb}`, { isDelivered });
  const asked = act();
  await waitFor('the request to be sent', () =>
    proxy.fromClients.slice(before).some((data) => data.includes(`zester.admin.${verb}`)),
  );
  proxy.stallWith('nothing that is sent');
  proxy.cut();
  return asked;
}

describe.each([
  ['a request of an admin', false],
  ['an answer to an admin', true],
])('%s that is lost when the connection breaks', (_what, isDelivered) => {
  const peelId = isDelivered ? 'answered' : 'asked';

  it('does not keep a revocation waiting, which is decided once', async () => {
    await addCreds(fleet, admin, peelId);
    const { record } = await interrupted('peel.revoke', isDelivered, () =>
      admin.ask('peel.revoke', { peelId }),
    );
    expect(record.state).toBe('revoked');
    const decisions = (await fleet.audit(peelId)).filter(({ kind }) => kind === 'peel.revoked');
    expect(decisions).toHaveLength(1);
  });

  it('does not keep a list waiting', async () => {
    await addCreds(fleet, await fleet.admin(), `${peelId}-listed`);
    const ids = await interrupted('peel.list', isDelivered, async () => {
      const all: string[] = [];
      for await (const { peels } of admin.stream('peel.list', {}))
        all.push(...peels.map(({ record }) => record.id));
      return all;
    });
    expect(ids).toContain(`${peelId}-listed`);
  });
});

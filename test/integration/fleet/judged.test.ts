import { describe, expect, it } from 'vitest';
import { contextOf } from '../../../src/master/context-of.js';
import { bucketStream, PRESENCE_BUCKET } from '../../../src/permissions/names.js';
import { peelUserJwtOptions } from '../../../src/permissions/roles.js';
import { createUserJwt } from '../../../src/jwt/user.js';
import { writeCredsFile } from '../../../src/creds/generate.js';
import { generateKeyBundle } from '../../../src/nkeys/key-bundle.js';
import { connectSystem } from '../../../src/system-account/system-connection.js';
import { join } from 'node:path';
import { atEnd } from '../../support/cleanup.js';
import { waitFor } from '../../support/wait-for.js';
import { startFleet, type Fleet } from './fleet.js';
import { addCreds } from './peels.js';

interface Query {
  auth?: boolean;
  cid?: number;
  user?: string;
}

/** The requests for lists of connections that masters send from now on. */
async function listRequests(fleet: Fleet): Promise<Query[]> {
  const nc = await connectSystem(await fleet.home.domain(), { servers: fleet.servers });
  atEnd(() => nc.close());
  const requests: Query[] = [];
  nc.subscribe('$SYS.REQ.SERVER.*.CONNZ', {
    callback: (_error, msg) => void requests.push(msg.json<Query>()),
  });
  await nc.flush();
  return requests;
}

/** Peels that are connected, judged, and stored for the next master. */
async function startPeels(fleet: Fleet, ids: readonly string[]) {
  const admin = await fleet.admin();
  const peels = await Promise.all(
    ids.map(async (id) => {
      const path = await addCreds(fleet, admin, id);
      return { id, path, nc: (await fleet.home.peel(id, path)).nc };
    }),
  );
  const { store } = contextOf(fleet.master);
  await waitFor('them to be stored', async () => {
    const last_by_subj = `$KV.${PRESENCE_BUCKET}._judged.1.0`;
    const stored = await store.jsm.streams.getMessage(bucketStream(PRESENCE_BUCKET), { last_by_subj });
    return ids.every((id) => stored?.string().includes(`"${id}"`));
  });
  return { admin, peels };
}

const isConnected = (fleet: Fleet, id: string) => contextOf(fleet.master).presence.isConnected(id);

describe('a master that replaces another', () => {
  it('requests the JWTs only of connections that were not judged, and refuses a stranger among them', async () => {
    const fleet = await startFleet();
    const { peels } = await startPeels(fleet, ['web-1', 'web-2', 'web-3']);
    const cids = peels.map(({ nc }) => nc.info?.client_id);
    await fleet.master.stop();
    fleet.masters.length = 0;

    // a thief of the signing key mints a user for a peel that has one; and a peel connects again
    const domain = await fleet.home.domain();
    const thief = generateKeyBundle('user');
    const options = peelUserJwtOptions('web-1', domain.publicKeys.account, { scoped: true });
    const path = join(fleet.home.dir, 'thief.creds');
    await writeCredsFile(path, createUserJwt(thief, await domain.peelSigner(), options), thief.seed);
    await fleet.home.peel('web-1', path);
    const [, , third] = peels;
    await third?.nc.close();
    if (third !== undefined) await fleet.home.peel('web-3', third.path);

    const requests = await listRequests(fleet);
    await fleet.startMaster();
    await fleet.audited('connection.refused', ({ publicKey }) => publicKey === thief.publicKey);
    for (const id of ['web-1', 'web-2', 'web-3'])
      await waitFor(`${id} to be known`, () => isConnected(fleet, id));
    const connections = () => contextOf(fleet.master).presence.get('web-1')?.connections;
    await waitFor('the stranger to be cut', () => connections()?.length === 1);
    expect(connections()).toMatchObject([{ cid: cids[0], host: '127.0.0.1', serverName: 'n1' }]);
    // a revocation looks for its user
    const withJwt = requests.filter(({ auth, user }) => auth === true && user === undefined);
    expect(withJwt.length).toBeGreaterThan(0);
    expect(withJwt.map(({ cid }) => cid)).not.toContain(undefined);
    for (const cid of cids.slice(0, 2)) expect(withJwt.map((query) => query.cid)).not.toContain(cid);
  });

  it('can revoke a peel whose connection it remembers', async () => {
    const fleet = await startFleet();
    const { admin } = await startPeels(fleet, ['web-1', 'web-2']);
    await fleet.master.stop();
    fleet.masters.length = 0;
    await fleet.startMaster();
    await waitFor('web-1 to be known', () => isConnected(fleet, 'web-1'));
    await admin.ask('peel.revoke', { peelId: 'web-1' });
    await waitFor('it to be gone', () => !isConnected(fleet, 'web-1'));
    expect(isConnected(fleet, 'web-2')).toBe(true);
  });
});

import { connect } from '@nats-io/transport-node';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadCredsFile } from '../../src/creds/parse.js';
import { connectedUsers } from '../../src/system-account/connected-users.js';
import { connectSystem } from '../../src/system-account/system-connection.js';
import { startHome } from '../integration/trust/support.js';
import { atEnd } from '../support/cleanup.js';
import { connectNaming } from '../support/connect-naming.js';

describe('the list of connections, where some are known', () => {
  const COUNT = 300;
  let list: (isKnown?: (of: { cid: number }) => boolean) => ReturnType<typeof connectedUsers>;
  let cids: number[];

  beforeAll(async () => {
    const home = await startHome();
    const domain = await home.domain();
    const { path } = await home.issue('web-01');
    const creds = await loadCredsFile(path);
    const server = home.node(0).url;
    const open = () => connect({ servers: server, ...creds.natsOption(), reconnect: false });
    for (const nc of await Promise.all(Array.from({ length: COUNT }, open))) atEnd(() => nc.close());
    const nc = await connectSystem(domain, { servers: [server] });
    atEnd(() => nc.close());
    list = (isKnown) => connectedUsers(nc, domain.publicKeys.account, isKnown && { isKnown });
    cids = (await list()).users.map(({ cid }) => cid).sort((a, b) => a - b);
  });

  it('has all of them when none is known', async () => {
    expect(cids).toHaveLength(COUNT);
    const { users, known, isComplete } = await list(() => false);
    expect(users.map(({ cid }) => cid).sort((a, b) => a - b)).toEqual(cids);
    expect(users.every(({ jwt, name }) => jwt !== undefined && name === 'web-01')).toBe(true);
    expect({ known, isComplete }).toEqual({ known: [], isComplete: true });
  });

  it('requests no JWTs when all connections are known', async () => {
    const { users, known, isComplete } = await list(() => true);
    expect(known.map(({ cid }) => cid).sort((a, b) => a - b)).toEqual(cids);
    expect({ users, isComplete }).toEqual({ users: [], isComplete: true });
  });

  it.each([
    ['one', (i: number) => i !== 150],
    ['a few, here and there', (i: number) => i % 10 !== 0],
    ['every second one', (i: number) => i % 2 === 0],
    ['those in the middle', (i: number) => i < 100 || i >= 200],
    ['the last ones', (i: number) => i < 200],
  ])('has the JWTs of %s, which are not known', async (_name, isKnownAt) => {
    const isKnown = ({ cid }: { cid: number }) => isKnownAt(cids.indexOf(cid));
    const { users, known, isComplete } = await list(isKnown);
    const sorted = (of: readonly { cid: number }[]) => of.map(({ cid }) => cid).sort((a, b) => a - b);
    expect(sorted(users)).toEqual(cids.filter((_, i) => !isKnownAt(i)));
    expect(sorted(known)).toEqual(cids.filter((_, i) => isKnownAt(i)));
    expect(users.every(({ jwt }) => jwt !== undefined)).toBe(true);
    expect(isComplete).toBe(true);
  });
});

describe('a user that names the key of another in its CONNECT', () => {
  it('is listed under the key of its own JWT', async () => {
    const home = await startHome();
    const domain = await home.domain();
    const [victim, own] = [await home.issue('web-01'), await home.issue('web-02')];
    await connectNaming(victim.publicKey, own.path, home.node(0).url);
    const system = await connectSystem(domain, { servers: home.servers });
    atEnd(() => system.close());
    const { users } = await connectedUsers(system, domain.publicKeys.account);
    expect(users.map(({ name, publicKey, reported }) => ({ name, publicKey, reported }))).toEqual([
      { name: 'web-02', publicKey: own.publicKey, reported: victim.publicKey },
    ]);
  });
});

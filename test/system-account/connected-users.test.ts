import { connect, errors, type NatsConnection, type RequestOptions } from '@nats-io/transport-node';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadCredsFile } from '../../src/creds/parse.js';
import { connectedUsers } from '../../src/system-account/connected-users.js';
import { PageSizes } from '../../src/system-account/page-sizes.js';
import { connectSystem } from '../../src/system-account/system-connection.js';
import { CONNECTIONS_PAGE_TIMEOUT_MS, LARGE_PAGE_TIMEOUT_MS } from '../../src/timing.js';
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

describe('a large page over a connection of its own that does not arrive', () => {
  const SERVER = `N${'A'.repeat(55)}`;
  const listed = JSON.stringify({
    server: { id: SERVER },
    data: { connections: Array.from({ length: 200 }, (_, i) => ({ cid: i + 1 })) },
  });

  /** Lists a server's connections when its JWT requests time out. */
  async function list(isClosed: boolean) {
    const timeouts: (number | undefined)[] = [];
    const direct = {
      isClosed: () => isClosed,
      request: (_subject: string, query: string, options?: RequestOptions) => {
        timeouts.push(options?.timeout);
        if (query.includes('"auth":true')) return Promise.reject(new errors.TimeoutError());
        return Promise.resolve({ json: () => JSON.parse(listed) as unknown, data: Buffer.from(listed) });
      },
    } as unknown as NatsConnection;
    const sizes = new PageSizes();
    const { isComplete } = await connectedUsers({} as NatsConnection, 'A1', {
      isKnown: () => false,
      up: [{ id: SERVER, version: '2.15.1' } as never],
      over: () => direct,
      sizes,
    });
    expect(isComplete).toBe(false);
    return { timeouts, isSmaller: sizes.of(SERVER) < new PageSizes().of(SERVER) };
  }

  it('is awaited long, and requested again in the same size: a busy server verifies all JWTs for each page', async () => {
    const { timeouts, isSmaller } = await list(false);
    expect(timeouts).toEqual([CONNECTIONS_PAGE_TIMEOUT_MS, LARGE_PAGE_TIMEOUT_MS]);
    expect(isSmaller).toBe(false);
  });

  it('is requested in a smaller size if the server has closed the connection for it', async () => {
    expect((await list(true)).isSmaller).toBe(true);
  });
});

import { describe, expect, it } from 'vitest';
import { PresenceView } from '../../../src/master/presence/presence-view.js';
import { PresenceKeeper } from '../../../src/master/watch/presence-keeper.js';
import type { UserConnection } from '../../../src/master/watch/system-events.js';

const connection = (name: string, cid: number, server = 'S1'): UserConnection => ({
  server,
  serverName: undefined,
  cid,
  name,
  publicKey: `U${name}`,
  jwt: '',
  host: '10.0.0.1',
  since: new Date(cid * 1000).toISOString(),
  kind: 'Client',
});

function keeperOf() {
  const clock = { now: 1_000 };
  const view = new PresenceView();
  return { view, clock, keeper: new PresenceKeeper(view, () => clock.now) };
}

describe('the connections that the servers report', () => {
  it('make a peel connected until the last one has ended', () => {
    const { view, clock, keeper } = keeperOf();
    keeper.add(connection('web-01', 1));
    keeper.add(connection('web-01', 2));
    expect(view.get('web-01')?.connections.map(({ cid }) => cid)).toEqual([1, 2]);
    expect(view.connected).toBe(1);
    keeper.remove({ server: 'S1', cid: 1 });
    expect(view.isConnected('web-01')).toBe(true);
    clock.now = 5_000;
    keeper.remove({ server: 'S1', cid: 2 });
    expect(view.get('web-01')).toEqual({ connections: [], lastSeen: new Date(5_000).toISOString() });
    expect(view.connected).toBe(0);
    expect(keeper.size).toBe(0);
  });

  it('are kept by server, with the number that the server gave them', () => {
    const { keeper } = keeperOf();
    keeper.add(connection('web-01', 1, 'S1'));
    keeper.add(connection('web-02', 1, 'S2'));
    expect(keeper.servers()).toEqual(['S1', 'S2']);
    expect(keeper.ofServer('S2').map(({ name }) => name)).toEqual(['web-02']);
    expect(keeper.get({ server: 'S1', cid: 1 })?.name).toBe('web-01');
    expect(keeper.remove({ server: 'S1', cid: 2 })).toBeUndefined();
  });

  it('name the newest of a peel that has many, and count them', () => {
    const { view, keeper } = keeperOf();
    for (let cid = 1; cid <= 20; cid += 1) keeper.add(connection('web-01', cid));
    expect(view.get('web-01')?.count).toBe(20);
    expect(view.get('web-01')?.connections.map(({ cid }) => cid)).toEqual([13, 14, 15, 16, 17, 18, 19, 20]);
  });

  it('replace earlier information about the same connection', () => {
    const { view, keeper } = keeperOf();
    keeper.add(connection('web-01', 1));
    keeper.add(connection('web-02', 1));
    expect(view.isConnected('web-02')).toBe(true);
    expect(keeper.of('web-01')).toEqual([]);
    expect(keeper.size).toBe(1);
  });

  it('correct what the previous master had published', () => {
    const { view, keeper } = keeperOf();
    keeper.add(connection('web-01', 1));
    view.set('web-02', view.get('web-01')?.connections ?? [], 1, 500);
    keeper.correct();
    expect([...view.entries()].filter(([, { connections }]) => connections.length > 0)).toHaveLength(1);
    expect(view.isConnected('web-02')).toBe(false);
  });

  it('of users that are not peels are tracked, but are not presence', () => {
    const { view, keeper } = keeperOf();
    keeper.add(connection('_zester-master', 1));
    expect(keeper.size).toBe(1);
    expect([...view.peelIds()]).toEqual([]);
  });
});

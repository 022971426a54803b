import { describe, expect, it } from 'vitest';
import { describeMissingServers, outsideMetaGroup } from '../../src/system-account/meta-group.js';

const up = ['n1', 'n2', 'n3'].map((name) => ({ name, jetStream: true, cluster: 'c' }));
const follower = { server: 'n2', leader: 'n1', cluster_size: 2 };

describe("JetStream's meta group", () => {
  it('lacks a server that is present but not a member', () => {
    const leader = { server: 'n1', leader: 'n1', cluster_size: 2, replicas: [{ name: 'n2' }] };
    expect(outsideMetaGroup(up, [follower, leader, { leader: '' }])).toEqual(['n3']);
    expect(describeMissingServers(['n3'])).toContain('n3 runs, but is missing');
  });

  it('lacks none when the leader lists all', () => {
    const leader = {
      server: 'n2',
      leader: 'n2',
      cluster_size: 3,
      replicas: [{ name: 'n1' }, { name: 'n3' }],
    };
    expect(outsideMetaGroup(up, [leader])).toEqual([]);
    expect(describeMissingServers([])).toBeUndefined();
  });

  it('is not known while there is no leader', () => {
    expect(
      outsideMetaGroup(up, [follower, { server: 'n1', leader: '', replicas: [{ name: 'n2' }] }]),
    ).toBeUndefined();
    expect(describeMissingServers(undefined)).toBeUndefined();
  });

  // measured on nats-server 2.15.1, after a cluster of three elected twice at its start
  it('is not read from the answer of a former leader', () => {
    const before = { server: 'n1', leader: 'n3', replicas: [{ name: 'n2' }, { name: 'n3' }] };
    const leader = { server: 'n3', leader: 'n3', replicas: [{ name: 'n1' }, { name: 'n2' }] };
    expect(outsideMetaGroup(up, [before, leader])).toEqual([]);
    expect(outsideMetaGroup(up, [before])).toBeUndefined();
  });

  it('is not known while two servers claim to be the leader', () => {
    const one = { server: 'n1', leader: 'n1', replicas: [{ name: 'n2' }] };
    const other = { server: 'n3', leader: 'n3', replicas: [{ name: 'n1' }, { name: 'n2' }] };
    expect(outsideMetaGroup(up, [one, other])).toBeUndefined();
  });

  it('needs no server without JetStream, and none that is in no cluster', () => {
    const others = [
      { name: 'n4', jetStream: false, cluster: 'c' },
      { name: 'leaf', jetStream: true, cluster: undefined },
    ];
    const leader = { server: 'n1', leader: 'n1', replicas: [{ name: 'n2' }, { name: 'n3' }] };
    expect(outsideMetaGroup([...up, ...others], [leader])).toEqual([]);
  });
});

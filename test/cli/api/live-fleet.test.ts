import { afterEach, describe, expect, it } from 'vitest';
import { LiveFleet } from '../../../src/cli/api/live-fleet.js';
import { FleetError } from '../../../src/errors.js';
import { refusal } from '../../support/refusal.js';
import { connectedWith, issued, MemoryFleet, START } from './memory-fleet.js';

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

/** A copy of a fleet with the peel `web-1`, and the changes that its listener received. */
function copied() {
  const memory = new MemoryFleet();
  memory.decide('web-1', issued('U1'));
  const live = new LiveFleet(memory.fleet, () => START);
  ends.push(() => {
    live.close();
    memory.end();
  });
  const told: string[] = [];
  live.listen({
    audit: ({ kind }) => void told.push(kind),
    peel: (peelId) => void told.push(peelId),
    reset: () => void told.push('reset'),
  });
  const states = () => Object.fromEntries([...live.peels()].map(({ record }) => [record.id, record.state]));
  return { memory, live, told, states };
}

/** Resolves once everything that was delivered has been handled. */
const settled = () => new Promise((resolve) => setTimeout(resolve, 5));

describe('a copy of the registry', () => {
  it('is read once, and follows the audit log from then on', async () => {
    const { memory, live, told, states } = copied();
    await Promise.all([live.ready(), live.ready()]);
    expect(states()).toEqual({ 'web-1': 'accepted' });
    memory.decide('web-1', { kind: 'key.connected', publicKey: 'U1' });
    memory.decide('web-2', issued('U2'));
    await settled();
    expect(states()).toEqual({ 'web-1': 'active', 'web-2': 'accepted' });
    expect(told).toEqual(['key.connected', 'web-1', 'key.issued', 'web-2']);
    expect(memory.requests).toEqual(['list']);
  });

  it('has the changes of the time in which it was read', async () => {
    const { memory, live, states } = copied();
    memory.duringList = () => void memory.decide('web-1', { kind: 'peel.rejected' });
    await live.ready();
    await settled();
    expect(states()).toEqual({ 'web-1': 'rejected' });
  });

  it('names the peels that changed after a position', async () => {
    const { memory, live } = copied();
    await live.ready();
    const before = live.position;
    memory.decide('web-2', issued('U2'));
    await settled();
    expect(live.changedSince(before)).toEqual(['web-2']);
    expect(live.changedSince(live.position)).toEqual([]);
    for (const position of ['', 'another.1', `${before}x`])
      expect(live.changedSince(position)).toBeUndefined();
  });

  it('changes nothing at an event that it knows already', async () => {
    const { memory, live, told } = copied();
    await live.ready();
    const { position } = live;
    const { record } = memory.peels.get('web-1') ?? {};
    memory.publish({ ...memory.decide('web-9', issued('U9')), id: 'again', peelId: 'web-1', number: 1 });
    await settled();
    expect(live.get('web-1')?.record).toEqual(record);
    expect(live.changedSince(position)).toEqual(['web-9']);
    expect(told.filter((peelId) => peelId === 'web-1')).toEqual([]);
  });

  it('asks a master for a peel one of whose events it lacks', async () => {
    const { memory, live, states } = copied();
    await live.ready();
    memory.isDeaf = true;
    memory.decide('web-2', issued('U2'));
    memory.isDeaf = false;
    memory.decide('web-2', { kind: 'key.connected', publicKey: 'U2' });
    await settled();
    expect(memory.requests).toEqual(['list', 'show web-2']);
    expect(states()).toMatchObject({ 'web-2': 'active' });
  });

  it('stops telling a listener that has left', async () => {
    const { memory, live } = copied();
    await live.ready();
    const told: string[] = [];
    const ignore = () => undefined;
    const leave = live.listen({ audit: ({ kind }) => void told.push(kind), peel: ignore, reset: ignore });
    leave();
    memory.decide('web-1', { kind: 'peel.rejected' });
    await settled();
    expect(told).toEqual([]);
  });
});

describe('the connections in a copy of the registry', () => {
  it('are those that masters reported last', async () => {
    const { memory, live } = copied();
    await live.ready();
    memory.report('web-1', connectedWith('U1', 60));
    memory.report('web-1', { ...connectedWith('U1', 30), connections: [] });
    await settled();
    expect(live.get('web-1')?.presence).toEqual(connectedWith('U1', 60));
  });

  it('are kept until the record of their peel arrives', async () => {
    const { memory, live } = copied();
    await live.ready();
    memory.report('web-2', connectedWith('U2'));
    await settled();
    expect(live.get('web-2')).toBeUndefined();
    memory.decide('web-2', issued('U2'));
    await settled();
    expect(live.get('web-2')?.presence?.connections).toHaveLength(1);
  });

  it('do not include those of a revoked key', async () => {
    const { memory, live } = copied();
    await live.ready();
    memory.report('web-1', connectedWith('U1'));
    memory.decide('web-1', { kind: 'key.revoked', publicKeys: ['U1'] });
    await settled();
    expect(live.get('web-1')?.presence?.connections).toEqual([]);
  });
});

describe('a copy of an unreadable registry', () => {
  it('fails, and is built by a later caller', async () => {
    const { memory, live, states } = copied();
    memory.failure = new FleetError('ERR_FLEET_NO_MASTER', 'no master answers');
    await refusal('ERR_FLEET_NO_MASTER', () => live.ready());
    await live.ready();
    expect(states()).toEqual({ 'web-1': 'accepted' });
  });

  it('fails as soon as masters refuse to let the audit log be followed', async () => {
    const { memory, live, states } = copied();
    memory.duringList = () => {
      memory.failAudit(new FleetError('ERR_FLEET_CLOCK', 'the clocks differ'));
      // a list that never ends
      return new Promise(() => undefined);
    };
    await refusal('ERR_FLEET_CLOCK', () => live.ready());
    await live.ready();
    expect(states()).toEqual({ 'web-1': 'accepted' });
  });

  // a rejection without a handler would end the program, and fails the test run
  it('fails once when masters refuse both the list and the audit log', async () => {
    const { memory, live } = copied();
    const error = new FleetError('ERR_FLEET_DENIED', 'not an admin');
    memory.duringList = () => {
      memory.failAudit(error);
      throw error;
    };
    await refusal('ERR_FLEET_DENIED', () => live.ready());
    await settled();
  });

  it('says why it may be outdated, and is built again by the next caller, after a permanent failure', async () => {
    const { memory, live, told, states } = copied();
    await live.ready();
    expect(live.stale).toBeUndefined();
    const before = live.position;
    memory.failAudit(new FleetError('ERR_FLEET_DENIED', 'not an admin any more'));
    await settled();
    expect(live.stale).toContain('not an admin any more');
    expect(told).toEqual(['reset']);
    memory.decide('web-2', issued('U2'));
    await live.ready();
    expect(states()).toEqual({ 'web-1': 'accepted', 'web-2': 'accepted' });
    expect(live.stale).toBeUndefined();
    expect(live.changedSince(before)).toBeUndefined();
  });
});

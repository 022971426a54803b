import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FleetError } from '../../../src/errors.js';
import { MAX_CONNECTIONS } from '../../../src/master/watch/admission.js';
import { Gatekeeper } from '../../../src/master/watch/gatekeeper.js';
import { PresenceKeeper } from '../../../src/master/watch/presence-keeper.js';
import type { UserConnection } from '../../../src/master/watch/system-events.js';
import type { PolicyDecision } from '../../../src/master/requests/policy.js';
import { SURPLUS_AUDIT_INTERVAL_MS } from '../../../src/timing.js';
import { issuing, peelConnection, watchContext } from './watch-context.js';

/** A gatekeeper, and its calls to the servers and the revoker. */
async function started(policy?: () => Promise<PolicyDecision>) {
  const parts = await watchContext(policy);
  const keeper = new PresenceKeeper(parts.context.presence);
  const kicked: number[] = [];
  const revoked: string[] = [];
  const gatekeeper = new Gatekeeper(parts.context, {
    kick: async ({ cid }) => {
      kicked.push(cid);
      return 'kicked';
    },
    revoker: { revokeStranger: (publicKey) => void revoked.push(publicKey) },
    keeper,
    isBusy: () => false,
  });
  const check = async (connection: UserConnection, isSurplus = false) => {
    keeper.add(connection);
    await gatekeeper.check(connection, isSurplus)?.run();
  };
  return { ...parts, keeper, gatekeeper, kicked, revoked, check };
}

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance', 'setTimeout'] }));
afterEach(() => void vi.useRealTimers());

describe('the first connection of a peel', () => {
  it('marks the key that was issued to it as live', async () => {
    const { check, registry, kinds, revoked } = await started();
    const connection = peelConnection('web-1');
    await registry.decide('web-1', () => issuing(connection));
    await check(connection);
    expect(registry.get('web-1')).toMatchObject({ state: 'active', keys: [{ state: 'live' }] });
    expect(kinds()).toEqual(['key.issued', 'key.connected']);
    expect(revoked).toEqual([]);
  });

  it.each([
    ['accept', 'active', ['peel.appeared', 'peel.accepted']],
    ['reject', 'rejected', ['peel.appeared', 'peel.rejected']],
    ['pending', 'pending', ['peel.appeared']],
  ] as const)(
    'creates a record if there is none, with the state that the policy decides: %s',
    async (answer, state, kinds) => {
      const started_ = await started(async () => answer);
      await started_.check(peelConnection('web-1'));
      expect(started_.registry.get('web-1')?.state).toBe(state);
      expect(started_.kinds()).toEqual(kinds);
    },
  );

  it('explains how to accept a pending peel', async () => {
    const { check, lines } = await started();
    await check(peelConnection('web-1'));
    expect(lines).toMatchObject([{ level: 'warn', text: 'pending: run "zester peel accept web-1"' }]);
  });

  it('is judged on the record that another master wrote an instant ago', async () => {
    const { check, registry, bucket, revoked } = await started();
    const other = await watchContext();
    const connection = peelConnection('web-1');
    await registry.decide('web-1', () => issuing(peelConnection('web-1')));
    // this master's record has another key: JetStream has the one that is connected
    const before = bucket.value('web-1') as { record: { keys: object[]; number: number } };
    await other.registry.decide('web-1', () => issuing(connection));
    const { record, event } = other.bucket.value('web-1') as { record: object; event: object };
    bucket.silence();
    bucket.set('web-1', { record: { ...record, number: before.record.number + 1 }, event });
    await check(connection);
    expect(revoked).toEqual([]);
    expect(registry.get('web-1')?.keys).toMatchObject([{ publicKey: connection.publicKey, state: 'live' }]);
  });

  it('is judged again later if JetStream does not respond', async () => {
    const { check, registry, bucket, revoked, kinds } = await started();
    const connection = peelConnection('web-1');
    await registry.decide('web-1', () => issuing(connection));
    bucket.failures.push(new FleetError('ERR_FLEET_STORE', 'JetStream does not respond'));
    await expect(check(connection)).rejects.toThrow('JetStream does not respond');
    expect([revoked, kinds()]).toEqual([[], ['key.issued']]);
  });
});

describe('a connection that is refused', () => {
  it('has its key revoked at once if the registry does not know the key', async () => {
    const { check, registry, revoked, events } = await started();
    await registry.decide('web-1', () => issuing(peelConnection('web-1')));
    const stranger = peelConnection('web-1');
    await check(stranger);
    expect(revoked).toEqual([stranger.publicKey]);
    expect(events.at(-1)).toMatchObject({
      kind: 'connection.refused',
      peelId: 'web-1',
      publicKey: stranger.publicKey,
      from: '10.0.0.7 at n1',
    });
  });

  it('is cut if its JWT names no key', async () => {
    const { check, kicked, revoked, events } = await started();
    await check({ ...peelConnection('web-1', 7), jwt: 'not.a.jwt' });
    expect([kicked, revoked]).toEqual([[7], []]);
    expect(events).toMatchObject([{ kind: 'connection.refused' }]);
    expect(events[0]).not.toHaveProperty('publicKey');
  });

  it('has the live key of a peel held, until the breaker allows the revocation', async () => {
    const { check, registry, revoked, gatekeeper } = await started();
    const connection = peelConnection('web-1');
    await registry.decide('web-1', () => issuing(connection));
    await check(connection);
    await check({ ...connection, cid: 2, kind: 'Leafnode' });
    expect(revoked).toEqual([]);
    vi.advanceTimersByTime(60_000);
    await gatekeeper.advance();
    expect(revoked).toEqual([connection.publicKey]);
    await vi.waitFor(() => expect(registry.get('web-1')?.keys).toMatchObject([{ state: 'revoking' }]));
  });
});

describe('a peel with too many connections', () => {
  it('has the newest ones cut, which is audited once a minute', async () => {
    const { check, registry, kicked, events, revoked } = await started();
    const connection = peelConnection('web-1');
    await registry.decide('web-1', () => issuing(connection));
    await check(connection);
    const surplus = () => events.filter(({ kind }) => kind === 'connection.refused');
    await check({ ...connection, cid: 65 }, true);
    await check({ ...connection, cid: 66 }, true);
    expect(kicked).toEqual([65, 66]);
    expect(surplus()).toMatchObject([
      {
        code: 'ERR_FLEET_RATE',
        reason: expect.stringContaining(`more than ${MAX_CONNECTIONS} connections`) as string,
      },
    ]);
    vi.advanceTimersByTime(SURPLUS_AUDIT_INTERVAL_MS);
    await check({ ...connection, cid: 67 }, true);
    expect(surplus()).toHaveLength(2);
    expect(revoked).toEqual([]);
  });
});

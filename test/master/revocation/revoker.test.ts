import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FleetError } from '../../../src/errors.js';
import type { AuditEntry } from '../../../src/master/audit/audit-log.js';
import type { PushRevocations } from '../../../src/master/revocation/push-revocations.js';
import { Revoker, type RevokerContext } from '../../../src/master/revocation/revoker.js';
import type { Decision } from '../../../src/master/registry/registry.js';
import type { PeelRecord } from '../../../src/protocol/records/record.js';
import { keptLog } from '../../support/kept-log.js';

type Pushed = Awaited<ReturnType<PushRevocations>>;
const NOTHING_RESTORED = { revocations: [], signingKeys: [], returned: [], templates: [] };
const confirmed: Pushed = {
  inForce: true,
  left: new Set(),
  report: { confirmed: ['n1'], failed: [], notReached: [], problems: [] } as unknown as Pushed['report'],
  restored: NOTHING_RESTORED,
};
const notReached: Pushed = {
  ...confirmed,
  inForce: false,
  report: { confirmed: ['n1'], failed: [], notReached: ['n2'] } as unknown as Pushed['report'],
};

/** A revoker with a registry of these records, and a push with the given outcomes, the last one repeated. */
function started(records: PeelRecord[], outcomes: (Pushed | Error)[]) {
  const pushes: string[][] = [];
  const events: AuditEntry[] = [];
  const decided: Decision[] = [];
  let onChange: (record: PeelRecord) => void = () => undefined;
  const byId = () => new Map(records.map((record) => [record.id, record]));
  const registry = {
    records: () => records,
    get: (id: string) => byId().get(id),
    ownerOf: () => undefined,
    onChange: (listener: typeof onChange) => {
      onChange = listener;
      return () => undefined;
    },
    decide: async (id: string, decide: (record?: PeelRecord) => Decision | undefined) => {
      const decision = decide(byId().get(id));
      if (decision !== undefined) decided.push(decision);
    },
  };
  const context = {
    registry,
    tokens: { entries: () => [], onChange: () => () => undefined },
    audit: { note: (entry: AuditEntry) => void events.push(entry) },
    actor: { kind: 'master', name: 'm' },
    logger: keptLog().logger,
    recovery: { window: 0 },
    metrics: { revocationSeconds: { observe: () => undefined } },
    now: () => 0,
  } as unknown as RevokerContext;
  const push: PushRevocations = async (keys) => {
    pushes.push([...keys.keys()]);
    const outcome = outcomes.length > 1 ? outcomes.shift() : outcomes[0];
    if (outcome === undefined || outcome instanceof Error) throw outcome ?? new Error('no outcome');
    return outcome;
  };
  const revoker = new Revoker(context, push);
  return { revoker, pushes, events, decided, change: (record: PeelRecord) => onChange(record) };
}

const revoking = (id: string, publicKey = `U${id}`): PeelRecord =>
  ({
    id,
    state: 'revoked',
    keys: [{ publicKey, state: 'revoking', revokedUpTo: 1 }],
  }) as unknown as PeelRecord;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('the revoker', () => {
  it('pushes all keys together, and records each when every server has confirmed', async () => {
    const { revoker, pushes, decided } = started([revoking('a'), revoking('b')], [confirmed]);
    revoker.start();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(pushes).toEqual([['Ua', 'Ub']]);
    expect(decided.map(({ change }) => change)).toEqual([
      { kind: 'key.revoked', publicKeys: ['Ua'] },
      { kind: 'key.revoked', publicKeys: ['Ub'] },
    ]);
    await revoker.close();
  });

  it('retries until the last server confirms, and audits the reason once', async () => {
    const { revoker, pushes, decided, events } = started(
      [revoking('a')],
      [notReached, notReached, notReached, confirmed],
    );
    revoker.start();
    await vi.advanceTimersByTimeAsync(600_000);
    expect(pushes).toHaveLength(4);
    expect(decided).toHaveLength(1);
    expect(events).toMatchObject([
      { kind: 'revocation.incomplete', peelId: 'a', reason: 'not confirmed by n2' },
    ]);
    await revoker.close();
  });

  it('audits why it cannot push, and retries', async () => {
    const offline = new FleetError('ERR_FLEET_KEY_OFFLINE', 'no operator key');
    const { revoker, decided, events } = started([revoking('a')], [offline, confirmed]);
    revoker.start();
    await vi.advanceTimersByTimeAsync(600_000);
    expect(events).toMatchObject([{ kind: 'revocation.failed', code: 'ERR_FLEET_KEY_OFFLINE', peelId: 'a' }]);
    expect(decided).toHaveLength(1);
    await revoker.close();
  });

  it('does nothing without the lease, and follows the registry while it holds it', async () => {
    const { revoker, pushes, change } = started([], [confirmed]);
    change(revoking('a'));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(pushes).toEqual([]);
    revoker.start();
    change(revoking('b'));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(pushes).toEqual([['Ub']]);
    await revoker.close();
  });

  it('revokes the key of a stranger where servers can be reached, and does not wait for those that are down', async () => {
    const { revoker, pushes } = started([], [notReached]);
    revoker.start();
    revoker.revokeStranger('US', 5);
    await vi.advanceTimersByTimeAsync(600_000);
    expect(pushes.length).toBeLessThanOrEqual(2);
    await revoker.close();
  });
});

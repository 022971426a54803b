import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { AuditEntry } from '../../../src/master/audit/audit-log.js';
import type { MasterContext } from '../../../src/master/context.js';
import { HeldRevocations } from '../../../src/master/revocation/held-revocations.js';
import { changeBreaker, readBreaker } from '../../../src/master/revocation/breaker-store.js';
import type { Store } from '../../../src/master/store/store.js';
import type { Refusal } from '../../../src/master/watch/admission.js';
import type { Verdict } from '../../../src/master/watch/judge.js';
import type { UserConnection } from '../../../src/master/watch/system-events.js';
import type { PeelRecord } from '../../../src/protocol/records/record.js';
import { HELD_GATHER_MS, HELD_INTERVAL_MS } from '../../../src/timing.js';
import { keptLog } from '../../support/kept-log.js';
import { MemoryBucket } from '../../support/memory-bucket.js';

const refused = { is: 'refused', code: 'ERR_FLEET_REVOKED', reason: 'no' } as unknown as Refusal;
const connection = (id: string) => ({ name: id }) as unknown as UserConnection;

/** A fleet of ten healthy peels, and a master that is about to revoke some of them. */
function started() {
  const bucket = new MemoryBucket();
  const store = { challenges: bucket.kv } as unknown as Store;
  const ids = Array.from({ length: 10 }, (_, i) => `p${i}`);
  const records = new Map(
    ids.map((id) => [
      id,
      { id, state: 'active', keys: [{ publicKey: `U${id}`, state: 'live' }] } as unknown as PeelRecord,
    ]),
  );
  const events: AuditEntry[] = [];
  const revoked: string[] = [];
  let verdict: Verdict = refused as unknown as Verdict;
  const context = {
    store,
    registry: { get: (id: string) => records.get(id), records: () => records.values() },
    audit: { note: (entry: AuditEntry) => void events.push(entry) },
    actor: { kind: 'master', name: 'm' },
    logger: keptLog().logger,
    metrics: { heldRevocations: { set: () => undefined } },
    breaker: undefined,
    now: Date.now,
  } as unknown as MasterContext;
  const held = new HeldRevocations(context, {
    judge: () => verdict,
    isJudging: () => false,
    revoke: ({ name }) => void revoked.push(name ?? ''),
  });
  return {
    store,
    bucket,
    held,
    events,
    revoked,
    hold: (count: number) => {
      for (const id of ids.slice(0, count)) held.hold(`U${id}`, id, connection(id), refused);
    },
    mend: () => void (verdict = { is: 'fine' } as unknown as Verdict),
    turns: async (count: number) => {
      for (let i = 0; i < count; i++) {
        vi.advanceTimersByTime(Math.max(HELD_GATHER_MS, HELD_INTERVAL_MS));
        await held.advance();
      }
    },
  };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('healthy peels that a master would revoke without an admin', () => {
  it('are revoked if they are few', async () => {
    const { hold, turns, revoked, events } = started();
    hold(2);
    await turns(1);
    expect(revoked).toEqual(['p0', 'p1']);
    expect(events).toEqual([]);
  });

  it('are held if they are many, and every master can see it', async () => {
    const { hold, turns, revoked, events, store } = started();
    hold(8);
    await turns(2);
    expect(revoked).toEqual([]);
    expect(events).toMatchObject([{ kind: 'revocations.held', detail: { peels: 8 } }]);
    expect(await readBreaker(store)).toMatchObject({ open: true, held: 8 });
  });

  it('are revoked once an admin resumes', async () => {
    const { hold, turns, revoked, store } = started();
    hold(8);
    await turns(2);
    await changeBreaker(store, (stored) => stored && { ...stored, open: false });
    await turns(1);
    expect(revoked).toHaveLength(8);
    expect(await readBreaker(store)).toBeUndefined();
  });

  it('are revoked if an admin resumes while the master writes that it holds them', async () => {
    const { hold, turns, revoked, store, bucket } = started();
    hold(7);
    await turns(2);
    hold(8);
    const stored = await readBreaker(store);
    bucket.beforePut = () => bucket.set('breaker.revocations', { ...stored, open: false });
    await turns(1);
    expect(await readBreaker(store)).toMatchObject({ open: false });
    await turns(1);
    expect(revoked).toHaveLength(8);
  });

  it('are resumed even if the master writes that it holds them meanwhile', async () => {
    const { hold, turns, store, bucket } = started();
    hold(8);
    await turns(2);
    const stored = await readBreaker(store);
    bucket.beforePut = () => bucket.set('breaker.revocations', { ...stored, held: 9 });
    await changeBreaker(store, (current) => current && { ...current, open: false });
    expect(await readBreaker(store)).toMatchObject({ open: false, held: 9 });
  });

  it('are left alone once the cause is gone', async () => {
    const { hold, turns, mend, revoked, events, store } = started();
    hold(8);
    await turns(2);
    mend();
    await turns(4);
    expect(revoked).toEqual([]);
    expect(events.map(({ kind }) => kind)).toEqual(['revocations.held', 'revocations.resumed']);
    expect(await readBreaker(store)).toBeUndefined();
  });

  it('stay held by the next master', async () => {
    const { held, hold, turns, revoked, store } = started();
    await changeBreaker(store, () => ({ open: true, since: '2030-01-01T00:00:00.000Z', held: 1 }));
    await held.open();
    hold(1);
    await turns(2);
    expect(revoked).toEqual([]);
  });
});

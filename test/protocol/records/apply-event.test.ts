import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyEvent } from '../../../src/protocol/records/apply-event.js';
import type { PeelChange, PeelEvent } from '../../../src/protocol/records/audit-event.js';
import { currentKey, type PeelRecord } from '../../../src/protocol/records/record.js';

const ADMIN = { kind: 'admin', name: 'zester-admin' } as const;

/** A record made of changes, one after the other, a second apart. */
function made(...changes: PeelChange[]): PeelRecord {
  let record: PeelRecord | undefined;
  changes.forEach((change, i) => (record = applyEvent(record, event(change, i + 1))));
  if (record === undefined) throw new Error('no change');
  return record;
}

function event(change: PeelChange, number: number): PeelEvent {
  return {
    ...change,
    id: `event-${number}`,
    at: new Date(1_700_000_000_000 + number * 1000).toISOString(),
    by: ADMIN,
    peelId: 'web-1',
    number,
  };
}

const issued = (publicKey: string, issuedAt = 1_700_000_000) => ({
  publicKey,
  issuer: 'ASIGNER',
  issuedAt,
  expiresAt: issuedAt + 3_600,
});
const states = ({ keys }: PeelRecord) => Object.fromEntries(keys.map((key) => [key.publicKey, key.state]));

describe('the record of a peel', () => {
  it('is accepted when an admin issues its credentials, and active once its key has connected', () => {
    const added = made({ kind: 'key.issued', key: issued('UA') });
    expect(added.state).toBe('accepted');
    expect(added.decided?.by).toEqual(ADMIN);
    const active = made(
      { kind: 'key.issued', key: issued('UA') },
      { kind: 'key.connected', publicKey: 'UA' },
    );
    expect(active.state).toBe('active');
    expect(states(active)).toEqual({ UA: 'live' });
    expect(active.keys[0]?.connectedAt).toBe(active.updatedAt);
  });

  it('is pending when a new host requests to join, and gets a key with a JWT once accepted', () => {
    const asked = { kind: 'peel.requested', publicKey: 'UA', origin: 'a join token' } as const;
    expect(made(asked).state).toBe('pending');
    expect(currentKey(made(asked))).toBeUndefined();
    const accepted = made(asked, { kind: 'peel.accepted' });
    expect(accepted.state).toBe('accepted');
    expect(states(accepted)).toEqual({ UA: 'requested' });
    const given = made(asked, { kind: 'peel.accepted' }, { kind: 'key.issued', key: issued('UA') });
    expect(given.state).toBe('accepted');
    expect(currentKey(given)?.publicKey).toBe('UA');
  });

  it('retires the key before it when a new one has connected, and not earlier', () => {
    const rotating = [
      { kind: 'key.issued', key: issued('UA') },
      { kind: 'key.connected', publicKey: 'UA' },
      { kind: 'rotation.asked' },
      { kind: 'key.rotated', key: issued('UB'), replaces: 'UA' },
    ] as const;
    expect(states(made(...rotating))).toEqual({ UA: 'live', UB: 'issued' });
    expect(made(...rotating).rotationAskedAt).toBeDefined();
    const rotated = made(...rotating, { kind: 'key.connected', publicKey: 'UB' });
    expect(states(rotated)).toEqual({ UA: 'retired', UB: 'live' });
    expect(rotated.rotationAskedAt).toBeUndefined();
  });

  it('keeps the newest key valid when the event of an older key’s connection comes late', () => {
    const late = [
      { kind: 'key.issued', key: issued('UA') },
      { kind: 'key.connected', publicKey: 'UA' },
      { kind: 'key.rotated', key: issued('UB'), replaces: 'UA' },
      { kind: 'key.rotated', key: issued('UC'), replaces: 'UB' },
      { kind: 'key.connected', publicKey: 'UB' },
    ] as const;
    expect(states(made(...late))).toEqual({ UA: 'retired', UB: 'live', UC: 'issued' });
    expect(currentKey(made(...late))?.publicKey).toBe('UC');
    const moved = made(...late, { kind: 'key.connected', publicKey: 'UC' });
    expect(states(moved)).toEqual({ UA: 'retired', UB: 'retired', UC: 'live' });
  });

  it('retires all other keys when an earlier key is issued again', () => {
    const back = made(
      { kind: 'key.issued', key: issued('UA') },
      { kind: 'key.connected', publicKey: 'UA' },
      { kind: 'key.rotated', key: issued('UB'), replaces: 'UA' },
      { kind: 'key.connected', publicKey: 'UB' },
      { kind: 'key.issued', key: issued('UA') },
      { kind: 'key.connected', publicKey: 'UA' },
    );
    expect(states(back)).toEqual({ UA: 'live', UB: 'retired' });
  });

  it('has the labels that admins and its join token gave it, and keeps them when its key changes', () => {
    const asked = {
      kind: 'peel.requested',
      publicKey: 'UA',
      origin: 'a token',
      labels: { env: 'dev', zone: 'a' },
    } as const;
    const history: PeelChange[] = [
      asked,
      { kind: 'peel.accepted', labels: { env: 'prod' } },
      { kind: 'key.issued', key: issued('UA') },
      { kind: 'key.connected', publicKey: 'UA' },
      { kind: 'key.rotated', key: issued('UB'), replaces: 'UA' },
      { kind: 'peel.labelled', set: { tier: 'db' }, remove: ['zone'] },
      { kind: 'key.connected', publicKey: 'UB' },
      { kind: 'peel.revoked', upTo: 1_700_000_050 },
    ];
    expect(made(asked).labels).toEqual({ env: 'dev', zone: 'a' });
    expect(made(...history).labels).toEqual({ env: 'prod', tier: 'db' });
    expect(made(...history, { kind: 'peel.labelled', remove: ['env', 'tier'] }).labels).toBeUndefined();
    const added = made({ kind: 'key.issued', key: issued('UA'), labels: { env: 'prod' } });
    expect(added.labels).toEqual({ env: 'prod' });
  });

  it('has no valid key once it is revoked, and returns only with a new key', () => {
    const revoked = made(
      { kind: 'key.issued', key: issued('UA') },
      { kind: 'key.connected', publicKey: 'UA' },
      { kind: 'peel.revoked', upTo: 1_700_000_050 },
      { kind: 'key.revoked', publicKeys: ['UA'] },
    );
    expect(revoked.state).toBe('revoked');
    expect(states(revoked)).toEqual({ UA: 'revoked' });
    const back = applyEvent(
      revoked,
      event({ kind: 'peel.requested', publicKey: 'UB', origin: 'a join token' }, 5),
    );
    expect(back.state).toBe('pending');
    expect(back.decided).toBeUndefined();
  });

  it('forgets the keys that expired long ago, and keeps the last eight', () => {
    const changes: PeelChange[] = [{ kind: 'key.issued', key: issued('U0', 1_600_000_000) }];
    for (let i = 0; i < 20; i += 1) {
      changes.push(
        { kind: 'key.connected', publicKey: `U${i}` },
        { kind: 'key.rotated', key: issued(`U${i + 1}`, 1_600_000_000 + i), replaces: `U${i}` },
        { kind: 'key.connected', publicKey: `U${i + 1}` },
        { kind: 'key.revoking', publicKeys: [`U${i}`], upTo: 1_600_000_000 + i },
        { kind: 'key.revoked', publicKeys: [`U${i}`] },
      );
    }
    const record = made(...changes);
    expect(record.keys).toHaveLength(9);
    expect(currentKey(record)?.publicKey).toBe('U20');
  });

  it('refuses an event that is not the next one', () => {
    const record = made({ kind: 'key.issued', key: issued('UA') });
    expect(() => applyEvent(record, event({ kind: 'peel.accepted' }, 3))).toThrow(/cannot follow/);
    expect(() => applyEvent(undefined, event({ kind: 'peel.accepted' }, 2))).toThrow(/cannot follow/);
    expect(() => applyEvent(record, { ...event({ kind: 'peel.accepted' }, 2), peelId: 'web-2' })).toThrow(
      /cannot follow/,
    );
  });
});

describe('any events of a peel, in any order', () => {
  const key = fc.constantFrom('UA', 'UB', 'UC');
  const change: fc.Arbitrary<PeelChange> = fc.oneof(
    key.map((publicKey): PeelChange => ({ kind: 'peel.requested', publicKey, origin: 'x' })),
    key.map((publicKey): PeelChange => ({ kind: 'peel.appeared', key: issued(publicKey), origin: 'x' })),
    key.map((publicKey): PeelChange => ({ kind: 'key.issued', key: issued(publicKey) })),
    key.map((publicKey): PeelChange => ({ kind: 'key.renewed', key: issued(publicKey) })),
    key.map((publicKey): PeelChange => ({ kind: 'key.rotated', key: issued(publicKey), replaces: 'UA' })),
    key.map((publicKey): PeelChange => ({ kind: 'key.connected', publicKey })),
    key.map((publicKey): PeelChange => ({ kind: 'key.revoking', publicKeys: [publicKey], upTo: 1 })),
    key.map((publicKey): PeelChange => ({ kind: 'key.revoked', publicKeys: [publicKey] })),
    fc.constant<PeelChange>({ kind: 'peel.accepted' }),
    fc.constant<PeelChange>({ kind: 'peel.rejected' }),
    fc.constant<PeelChange>({ kind: 'peel.revoked', upTo: 1 }),
    fc.constant<PeelChange>({ kind: 'rotation.asked' }),
    fc.constant<PeelChange>({ kind: 'peel.labelled', set: { env: 'prod' }, remove: ['tier'] }),
  );

  it('a record has each key once, and its number counts the events', () => {
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 30 }), (changes) => {
        const record = made(...changes);
        expect(record.number).toBe(changes.length);
        expect(new Set(record.keys.map(({ publicKey }) => publicKey)).size).toBe(record.keys.length);
      }),
    );
  });

  it('no two keys are live at the same time', () => {
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 20 }), key, (changes, publicKey) => {
        const record = made(
          ...changes,
          { kind: 'key.issued', key: issued(publicKey) },
          { kind: 'key.connected', publicKey },
        );
        const its = record.keys.findIndex((one) => one.publicKey === publicKey);
        expect(record.keys[its]?.state).toBe('live');
        expect(record.keys.slice(0, its).map(({ state }) => state)).not.toContain('live');
      }),
    );
  });

  it('right after a revocation no key is usable', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 20 }), (changes) => {
        const record = made(...changes, { kind: 'peel.revoked', upTo: 2 });
        expect(record.state).toBe('revoked');
        expect(currentKey(record)).toBeUndefined();
      }),
    );
  });

  it('the same events give the same record', () => {
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 20 }), (changes) => {
        expect(made(...changes)).toEqual(made(...changes));
      }),
    );
  });
});

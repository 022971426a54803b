import { describe, expect, it } from 'vitest';
import { applyEvent } from '../../src/protocol/records/apply-event.js';
import type { PeelChange, PeelEvent } from '../../src/protocol/records/audit-event.js';
import type { PeelRecord } from '../../src/protocol/records/record.js';

const AT = '2026-01-01T00:00:10.000Z';
const SECONDS = Date.parse(AT) / 1000;

/** The record after these changes, all at the same time. */
function after(...changes: PeelChange[]): PeelRecord {
  const events = changes.map((change, i): PeelEvent => ({
    ...change,
    id: `e${i}`,
    at: AT,
    by: { kind: 'admin', name: 'zester-admin' },
    peelId: 'web-1',
    number: i + 1,
  }));
  const record = events.reduce<PeelRecord | undefined>(applyEvent, undefined);
  if (record === undefined) throw new Error('no events');
  return record;
}

const issued = (publicKey: string, issuedAt = SECONDS): PeelChange => ({
  kind: 'key.issued',
  key: { publicKey, issuer: 'A', issuedAt, expiresAt: issuedAt + 60 },
});
const requested = (publicKey: string): PeelChange => ({ kind: 'peel.requested', publicKey, origin: 'token' });
const states = ({ keys }: PeelRecord) => keys.map(({ publicKey, state }) => `${publicKey} ${state}`);

describe('a peel that is rejected', () => {
  it('loses its keys: those with a JWT are marked for revocation, the others were never valid', () => {
    const record = after(issued('UA'), { kind: 'key.connected', publicKey: 'UA' }, { kind: 'peel.rejected' });
    expect(record.state).toBe('rejected');
    expect(record.keys).toMatchObject([{ state: 'revoking', revokedUpTo: SECONDS }]);
    expect(states(after(requested('UA'), { kind: 'peel.rejected' }))).toEqual(['UA revoked']);
  });

  it('may rejoin with a new key, but not with the rejected one', () => {
    const record = after(requested('UA'), { kind: 'peel.rejected' }, requested('UB'), {
      kind: 'peel.accepted',
    });
    expect(record.state).toBe('accepted');
    expect(states(record)).toEqual(['UA revoked', 'UB requested']);
  });

  it('drops its requested rotation', () => {
    expect(
      after(issued('UA'), { kind: 'rotation.asked' }, { kind: 'peel.rejected' }).rotationAskedAt,
    ).toBeUndefined();
  });
});

describe('a key that is issued by an admin', () => {
  it('of an accepted peel is added to the others', () => {
    expect(states(after(issued('UA'), issued('UB')))).toEqual(['UA issued', 'UB issued']);
  });

  it('to a pending, rejected or revoked peel makes it accepted, with this key only', () => {
    for (const [before, old] of [
      [[requested('UA')], 'UA revoked'],
      [[requested('UA'), { kind: 'peel.rejected' }], 'UA revoked'],
      [[issued('UA'), { kind: 'peel.revoked', upTo: SECONDS }], 'UA revoking'],
    ] satisfies [PeelChange[], string][]) {
      const record = after(...before, issued('UB'));
      expect(record).toMatchObject({ state: 'accepted', decided: { by: { kind: 'admin' } } });
      expect(states(record)).toEqual([old, 'UB issued']);
    }
  });

  it('to the requested key makes it valid', () => {
    const record = after(requested('UA'), issued('UA'));
    expect(record.keys).toMatchObject([{ publicKey: 'UA', state: 'issued', issuedAt: SECONDS }]);
    expect(record.keys[0]?.revokedUpTo).toBeUndefined();
  });
});

it('a revocation covers a JWT of a master whose clock was ahead', () => {
  const record = after(issued('UA', SECONDS + 30), { kind: 'peel.revoked', upTo: SECONDS });
  expect(record.keys[0]?.revokedUpTo).toBe(SECONDS + 30);
});

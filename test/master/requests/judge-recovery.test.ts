import { describe, expect, it } from 'vitest';
import {
  judgeRecovery,
  type RecoveryPolicy,
  type RecoveryRequest,
} from '../../../src/master/requests/judge-recovery.js';
import { applyEvent } from '../../../src/protocol/records/apply-event.js';
import type { PeelChange, PeelEvent } from '../../../src/protocol/records/audit-event.js';
import type { PeelRecord } from '../../../src/protocol/records/record.js';

const T0 = 1_700_000_000;
const LIFETIME = 3_600;
const DAY = 86_400;
const POLICY: RecoveryPolicy = { window: 30 * DAY, limit: 3 };

const issued = (publicKey: string, issuedAt = T0) => ({
  publicKey,
  issuer: 'ASIGNER',
  issuedAt,
  expiresAt: issuedAt + LIFETIME,
});

/** A record built from timed changes. */
function made(...changes: [at: number, change: PeelChange][]): PeelRecord {
  let record: PeelRecord | undefined;
  changes.forEach(([at, change], i) => {
    const event = {
      ...change,
      id: `event-${i}`,
      at: new Date(at * 1000).toISOString(),
      by: { kind: 'admin', name: 'admin' },
      peelId: 'web-1',
      number: i + 1,
    } as PeelEvent;
    record = applyEvent(record, event);
  });
  if (record === undefined) throw new Error('no change');
  return record;
}

const ADDED: [number, PeelChange][] = [
  [T0, { kind: 'key.issued', key: issued('U0') }],
  [T0 + 1, { kind: 'key.connected', publicKey: 'U0' }],
];
/** U0 expired, and the peel came back with U1. */
const AT_RECOVERY = T0 + 2 * LIFETIME;
const RECOVERED: [number, PeelChange][] = [
  ...ADDED,
  [AT_RECOVERY, { kind: 'key.rotated', key: issued('U1', AT_RECOVERY), replaces: 'U0', recovery: 1 }],
];

function judged(
  record: PeelRecord | undefined,
  request: Partial<RecoveryRequest> = {},
  { now = AT_RECOVERY, policy = POLICY }: { now?: number; policy?: RecoveryPolicy } = {},
) {
  const all = { publicKey: 'U0', newPublicKey: 'U1', count: 0, revokedInAccount: false, ...request };
  const verdict = judgeRecovery(record, all, policy, now);
  return verdict.is === 'refused' ? verdict.error.code : verdict.is;
}

describe('a peel whose signing key was removed', () => {
  it('recovers before its credential expires', () => {
    const record = made(...ADDED);
    const now = T0 + 60;
    expect(judged(record, {}, { now })).toBe('notExpired');
    expect(judged(record, { signerRemoved: true }, { now })).toBe('recover');
    expect(judged(record, { signerRemoved: true, revokedInAccount: true }, { now })).toBe(
      'ERR_FLEET_REVOKED',
    );
  });

  it("recovers within the policy's time after its expiry", () => {
    const now = T0 + LIFETIME + 31 * DAY;
    expect(judged(made(...ADDED), { signerRemoved: true }, { now })).toBe('ERR_FLEET_RECOVERY');
  });
});

describe('a request to recover', () => {
  it('is granted to a peel whose credential has expired, and counted', () => {
    const request = { publicKey: 'U0', newPublicKey: 'U1', count: 0, revokedInAccount: false };
    expect(judgeRecovery(made(...ADDED), request, POLICY, AT_RECOVERY)).toEqual({ is: 'recover', number: 1 });
    const again = { ...request, publicKey: 'U1', newPublicKey: 'U2', count: 1 };
    expect(judgeRecovery(made(...RECOVERED), again, POLICY, AT_RECOVERY + LIFETIME)).toEqual({
      is: 'recover',
      number: 2,
    });
  });

  it('is granted for a key that was issued and never connected', () => {
    expect(judged(made([T0, { kind: 'key.issued', key: issued('U0') }]))).toBe('recover');
  });

  it('reports a valid credential as not expired', () => {
    expect(judged(made(...ADDED), {}, { now: T0 + LIFETIME - 1 })).toBe('notExpired');
    expect(judged(made(...ADDED), {}, { now: T0 + LIFETIME })).toBe('recover');
    const forever = { publicKey: 'U0', issuer: 'ASIGNER', issuedAt: T0 };
    expect(judged(made([T0, { kind: 'key.issued', key: forever }]), {}, { now: T0 + 1e9 })).toBe(
      'notExpired',
    );
  });

  it.each([
    ['until the window ends', { window: DAY, limit: 3 }, T0 + LIFETIME + DAY, 'recover'],
    ['not after it', { window: DAY, limit: 3 }, T0 + LIFETIME + DAY + 1, 'ERR_FLEET_RECOVERY'],
    ['never with 0', { window: 0, limit: 3 }, T0 + LIFETIME, 'ERR_FLEET_RECOVERY'],
    ['by an admin with manual, however late', { window: 'manual', limit: 3 }, T0 + 1e9, 'pending'],
    ['by an admin beyond the limit', { window: DAY, limit: 0 }, T0 + LIFETIME + 1, 'pending'],
  ] as const)('is granted %s', (_name, policy, now, expected) => {
    expect(judged(made(...ADDED), {}, { now, policy })).toBe(expected);
  });

  it('counts recoveries of the last 30 days against the limit', () => {
    let record = made(...ADDED);
    let now = AT_RECOVERY;
    for (let i = 0; i < 3; i += 1) {
      expect(judged(record, { publicKey: `U${i}`, newPublicKey: `U${i + 1}`, count: i }, { now })).toBe(
        'recover',
      );
      const event = {
        kind: 'key.rotated',
        key: issued(`U${i + 1}`, now),
        replaces: `U${i}`,
        recovery: i + 1,
        ...{
          id: `r${i}`,
          at: new Date(now * 1000).toISOString(),
          peelId: 'web-1',
          number: record.number + 1,
        },
        by: { kind: 'peel', name: 'web-1' },
      } as const;
      record = applyEvent(record, event);
      now += 2 * LIFETIME;
    }
    const next = { publicKey: 'U3', newPublicKey: 'U4', count: 3 };
    expect(judged(record, next, { now })).toBe('pending');
    expect(judged(record, next, { now: now + 29 * DAY })).toBe('pending');
    expect(
      judged(record, next, {
        now: AT_RECOVERY + 30 * DAY - 60 + 2 * 2 * LIFETIME + 120,
        policy: { window: 60 * DAY, limit: 3 },
      }),
    ).toBe('recover');
  });

  it('is answered again when the answer was lost, also once the new key has connected', () => {
    expect(judged(made(...RECOVERED))).toBe('again');
    const connected = made(...RECOVERED, [AT_RECOVERY + 1, { kind: 'key.connected', publicKey: 'U1' }]);
    expect(judged(connected)).toBe('again');
  });

  it('is granted again when the answer was lost and the new key has expired meanwhile', () => {
    expect(judged(made(...RECOVERED), {}, { now: AT_RECOVERY + 2 * LIFETIME })).toBe('recover');
    expect(judged(made(...RECOVERED), {}, { now: AT_RECOVERY + 60 * DAY })).toBe('ERR_FLEET_RECOVERY');
  });

  it('shows a copy when the key was used to recover before, at once or much later', () => {
    expect(judged(made(...RECOVERED), { newPublicKey: 'U9' })).toBe('cloned');
    const connected = made(...RECOVERED, [AT_RECOVERY + 1, { kind: 'key.connected', publicKey: 'U1' }]);
    expect(judged(connected, { newPublicKey: 'U9' })).toBe('cloned');
    const twice = made(...RECOVERED, [
      AT_RECOVERY + 2 * LIFETIME,
      { kind: 'key.rotated', key: issued('U2', AT_RECOVERY + 2 * LIFETIME), replaces: 'U1', recovery: 2 },
    ]);
    expect(judged(twice, { newPublicKey: 'U9' }, { now: AT_RECOVERY + 9 * LIFETIME })).toBe('cloned');
    expect(judged(twice, { publicKey: 'U1', newPublicKey: 'U9', count: 1 })).toBe('cloned');
  });

  it('shows a copy of a credential from before a rotation', () => {
    const rotated = made(
      ...ADDED,
      [T0 + 10, { kind: 'key.rotated', key: issued('U1', T0 + 10), replaces: 'U0' }],
      [T0 + 11, { kind: 'key.connected', publicKey: 'U1' }],
    );
    expect(judged(rotated, { newPublicKey: 'U9' })).toBe('cloned');
  });

  it('is granted to the old key of a rotation whose answer was lost', () => {
    const rotating = made(...ADDED, [
      T0 + 10,
      { kind: 'key.rotated', key: issued('U5', T0 + 10), replaces: 'U0' },
    ]);
    expect(judged(rotating)).toBe('recover');
  });

  it('is refused for a key that an admin has replaced, and does not stop its replacement', () => {
    const replaced = made(
      ...RECOVERED,
      [AT_RECOVERY + 2, { kind: 'key.issued', key: issued('UNEW', AT_RECOVERY + 2) }],
      [AT_RECOVERY + 3, { kind: 'key.connected', publicKey: 'UNEW' }],
    );
    for (const publicKey of ['U0', 'U1'])
      expect(judged(replaced, { publicKey, newPublicKey: 'U9' })).toBe('ERR_FLEET_REVOKED');
  });

  it('is refused to a peel that was revoked and added again, for its old keys', () => {
    const again = made(
      ...RECOVERED,
      [AT_RECOVERY + 2, { kind: 'peel.revoked', upTo: AT_RECOVERY + 2 }],
      [AT_RECOVERY + 3, { kind: 'key.issued', key: issued('UNEW', AT_RECOVERY + 3) }],
      [AT_RECOVERY + 4, { kind: 'key.connected', publicKey: 'UNEW' }],
    );
    for (const publicKey of ['U0', 'U1'])
      expect(judged(again, { publicKey, newPublicKey: 'U9' })).toBe('ERR_FLEET_REVOKED');
  });

  it.each([
    ['a revoked peel', { kind: 'peel.revoked', upTo: T0 + 5 }, 'ERR_FLEET_REVOKED'],
    ['a rejected peel', { kind: 'peel.rejected' }, 'ERR_FLEET_REJECTED'],
    [
      'a peel whose key is revoked',
      { kind: 'key.revoking', publicKeys: ['U0'], upTo: T0 + 5 },
      'ERR_FLEET_REVOKED',
    ],
  ] as const)('is refused to %s, under any policy', (_name, change, code) => {
    const record = made(...ADDED, [T0 + 5, change as PeelChange]);
    for (const window of [0, 30 * DAY, 'manual'] as const)
      expect(judged(record, {}, { policy: { window, limit: 3 } })).toBe(code);
  });

  it('is refused where the account JWT revokes the key, and the registry does not know yet', () => {
    expect(judged(made(...ADDED), { revokedInAccount: true })).toBe('ERR_FLEET_REVOKED');
  });

  it('is refused to an unknown peel', () => {
    expect(judged(undefined)).toBe('ERR_FLEET_UNKNOWN_PEEL');
    expect(judged(made(...ADDED), { publicKey: 'UX' })).toBe('ERR_FLEET_KEY_UNKNOWN');
    const asked = made([T0, { kind: 'peel.requested', publicKey: 'U0', origin: 'token' }]);
    expect(judged(asked)).toBe('ERR_FLEET_KEY_UNKNOWN');
    expect(judged(made(...ADDED), { newPublicKey: 'U0' })).toBe('ERR_FLEET_REQUEST');
  });

  it('waits for an admin, and is granted once one has accepted it', () => {
    const asked: [number, PeelChange][] = [
      ...ADDED,
      [AT_RECOVERY, { kind: 'peel.requested', publicKey: 'U1', origin: 'recovery', replaces: 'U0' }],
    ];
    expect(judged(made(...asked))).toBe('pending');
    expect(judged(made(...asked, [AT_RECOVERY + 1, { kind: 'peel.accepted' }]))).toBe('recover');
    expect(judged(made(...asked, [AT_RECOVERY + 1, { kind: 'peel.rejected' }]))).toBe('ERR_FLEET_REJECTED');
    // with the same key, a different new key is requested
    expect(judged(made(...asked), { newPublicKey: 'U9' })).toBe('cloned');
  });

  it('waits for an admin where the record came from a backup after its key had expired, once', () => {
    const held: [number, PeelChange][] = [...ADDED, [AT_RECOVERY, { kind: 'recovery.held' }]];
    expect(judged(made(...held))).toBe('pending');
    const accepted = made(
      ...held,
      [AT_RECOVERY, { kind: 'peel.requested', publicKey: 'U1', origin: 'recovery', replaces: 'U0' }],
      [AT_RECOVERY + 1, { kind: 'peel.accepted' }],
    );
    expect(judged(accepted)).toBe('recover');
    const back = made(...held, [
      AT_RECOVERY + 2,
      { kind: 'key.rotated', key: issued('U1', AT_RECOVERY), replaces: 'U0', recovery: 1 },
    ]);
    const next = { publicKey: 'U1', newPublicKey: 'U2', count: 1 };
    expect(judged(back, next, { now: AT_RECOVERY + 2 * LIFETIME })).toBe('recover');
  });

  it('continues the count of a credential where the registry was restored from an older backup', () => {
    const request = { publicKey: 'U0', newPublicKey: 'U1', count: 7, revokedInAccount: false };
    expect(judgeRecovery(made(...ADDED), request, POLICY, AT_RECOVERY)).toEqual({ is: 'recover', number: 8 });
  });
});

describe('the record of a peel that has recovered', () => {
  it('ends every other key: an expired one at once, a valid one by a revocation', () => {
    expect(made(...RECOVERED).keys.map(({ publicKey, state }) => [publicKey, state])).toEqual([
      ['U0', 'revoked'],
      ['U1', 'issued'],
    ]);
    const other = made(
      ...ADDED,
      [T0 + 3_000, { kind: 'key.rotated', key: issued('U5', T0 + 3_000), replaces: 'U0' }],
      [T0 + 3_700, { kind: 'key.rotated', key: issued('U1', T0 + 3_700), replaces: 'U0', recovery: 1 }],
    );
    expect(Object.fromEntries(other.keys.map(({ publicKey, state }) => [publicKey, state]))).toEqual({
      U0: 'revoked',
      U5: 'revoking',
      U1: 'issued',
    });
    expect(other.recovery).toEqual({ count: 1, at: [T0 + 3_700] });
  });
});

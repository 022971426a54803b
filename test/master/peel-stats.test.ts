import { describe, expect, it } from 'vitest';
import { addToStats, emptyStats } from '../../src/master/peel-stats.js';
import type { PeelKey, PeelRecord, PeelState } from '../../src/protocol/records/record.js';

const NOW = 1_700_000_000;
const HOUR = 3_600;

function figures(...peels: [state: PeelState, connected: boolean, ...keys: Partial<PeelKey>[]][]) {
  const sums = emptyStats();
  peels.forEach(([state, isConnected, ...keys], i) => {
    const record: PeelRecord = {
      id: `web-${i}`,
      state,
      keys: keys.map((key, k) => ({ publicKey: `U${k}`, state: 'live', ...key })),
      number: 1,
      createdAt: '',
      updatedAt: '',
    };
    addToStats(sums, record, isConnected, NOW);
  });
  return sums;
}
const key = (fromHours: number, toHours: number) => ({
  issuedAt: NOW + fromHours * HOUR,
  expiresAt: NOW + toHours * HOUR,
});

describe('the statistics of a fleet', () => {
  it('count expiries by window', () => {
    const sums = figures(
      ['active', true, key(-1, 0.5)],
      ['active', true, key(-1, 23)],
      ['accepted', false, key(-1, 24 * 8)],
      ['active', true, { issuedAt: NOW }],
      ['pending', false, { state: 'requested' }],
    );
    expect(sums).toMatchObject({
      expiring: { '1h': 1, '1d': 2, '7d': 2, '30d': 3 },
      earliestExpiry: NOW + HOUR / 2,
      expired: 0,
    });
  });

  it('count expired credentials, and connected peels that have not renewed', () => {
    const sums = figures(
      ['active', false, key(-25, -1)],
      ['active', true, key(-9, 1)],
      ['active', true, key(-8, 2)],
      ['active', false, key(-9, 1)],
    );
    expect(sums).toMatchObject({ expired: 1, overdue: 1, earliestExpiry: NOW + HOUR });
  });

  it('ignore the expiry of a locked-out peel, and count its unconfirmed keys', () => {
    const sums = figures(
      ['revoked', false, { state: 'revoking', ...key(-1, 1) }, { state: 'revoked', ...key(-1, 1) }],
      ['active', true, { state: 'revoking', ...key(-2, 1) }, key(-1, 2)],
    );
    expect(sums).toMatchObject({ unconfirmed: 2, earliestExpiry: NOW + 2 * HOUR, expiring: { '1h': 0 } });
    expect(emptyStats().earliestExpiry).toBe(Infinity);
  });
});

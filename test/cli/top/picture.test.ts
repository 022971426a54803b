import { describe, expect, it } from 'vitest';
import { peelDocument } from '../../../src/cli/fleet/peel-document.js';
import { pictureOf, type FleetView } from '../../../src/cli/top/picture.js';
import type { AuditEvent } from '../../../src/protocol/records/audit-event.js';
import type { PeelRecord } from '../../../src/protocol/records/record.js';

const NOW = Date.parse('2026-01-01T12:00:00Z');
const at = new Date(NOW).toISOString();
const HOSTILE = 'x\u001b]0;owned\u0007\u202e\n\u001b[2J';

function peel(id: string, inSeconds: number) {
  const key = {
    publicKey: 'UA',
    state: 'live',
    issuedAt: NOW / 1000,
    expiresAt: NOW / 1000 + inSeconds,
  } as const;
  const record: PeelRecord = { id, state: 'active', keys: [key], number: 1, createdAt: at, updatedAt: at };
  return peelDocument(record, undefined, NOW);
}

const event = (i: number): AuditEvent => ({
  id: `e${i}`,
  at,
  kind: 'key.renewed',
  by: { kind: 'peel', name: HOSTILE },
  peelId: `web-${i}`,
  reason: HOSTILE,
  key: { publicKey: 'UA', issuer: 'A', issuedAt: 0 },
});

const VIEW: FleetView = {
  status: {
    master: 'm',
    version: '1.0.0',
    policy: 'manual',
    lifetime: 900,
    watching: 'm',
    peels: { active: 1200, pending: 3 },
    connected: 1100,
  },
  expiring: Array.from({ length: 100 }, (_, i) => peel(`peel-${i}`, 60 * (i + 1))),
  events: Array.from({ length: 100 }, (_, i) => event(i)),
  renewalsPerSecond: 1.25,
  problem: undefined,
};

describe('the picture of a fleet', () => {
  it.each([
    [80, 24],
    [40, 10],
    [200, 60],
    [20, 3],
    [1, 1],
  ])('fits %i × %i, and prints no control character', (columns, rows) => {
    const lines = pictureOf(VIEW, { columns, rows }, NOW);
    expect(lines.length).toBeLessThanOrEqual(rows);
    for (const line of lines) {
      expect(line.length).toBeLessThanOrEqual(columns);
      expect(line).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    }
  });

  it('leaves no half of a character where it cuts', () => {
    const reason = '\u{1f600}'.repeat(100);
    const events = VIEW.events.map((one) => ({ ...one, by: { kind: 'peel', name: 'x' } as const, reason }));
    for (let columns = 60; columns < 90; columns += 1) {
      for (const line of pictureOf({ ...VIEW, events }, { columns, rows: 24 }, NOW)) {
        expect(line.length).toBeLessThanOrEqual(columns);
        expect(line).not.toMatch(/\p{Cs}/u);
      }
    }
  });

  it('has the states, the rate of renewals, the soonest expiries and the latest events in 80 × 24', () => {
    const text = pictureOf(VIEW, { columns: 80, rows: 24 }, NOW).join('\n');
    expect(text).toMatch(/pending 3 .* active 1,200/);
    expect(text).toMatch(/connected 1,100 of 1,200 +renewals 1\.3\/s/);
    expect(text).toMatch(/peel-0 +in 60 seconds/);
    expect(text).toContain('key.renewed');
    expect(text).not.toContain('WARNING');
  });

  it('reports problems', () => {
    const status = { ...VIEW.status, watching: undefined };
    const held = { peels: 7, since: at };
    const view = { ...VIEW, status: { ...status, held }, problem: 'no master answered' };
    const text = pictureOf(view, { columns: 80, rows: 24 }, NOW).join('\n');
    expect(text).toMatch(/no master follows/);
    expect(text).toMatch(/revocations of 7 peels are held/);
    expect(text).toMatch(/NOT UP TO DATE: no master answered/);
  });
});

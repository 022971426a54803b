import { afterEach, describe, expect, it, vi } from 'vitest';
import type { AuditEntry } from '../../../src/master/audit/audit-log.js';
import { RefusalAudit, type RefusedRequest } from '../../../src/master/audit/refusal-audit.js';

afterEach(() => {
  vi.useRealTimers();
});

function started() {
  vi.useFakeTimers();
  const told: AuditEntry[] = [];
  const refusals = new RefusalAudit({ note: (entry) => told.push(entry) });
  const counts = () => told.map(({ code, detail }) => [code, detail?.['count']]);
  return { told, refusals, counts };
}

const refused: RefusedRequest = {
  request: 'renew',
  by: { kind: 'peel', name: 'web-1' },
  code: 'ERR_FLEET_KEY_UNKNOWN',
  reason: 'the key is none of the peel',
  peelId: 'web-1',
};

describe('the audit of refused requests', () => {
  it('has the first refusal of a kind at once, and the number of further ones a minute later', () => {
    const { refusals, told, counts } = started();
    for (let i = 0; i < 1_000; i++) refusals.note(refused);
    expect(told).toMatchObject([
      {
        kind: 'request.refused',
        code: 'ERR_FLEET_KEY_UNKNOWN',
        by: { kind: 'peel', name: 'web-1' },
        peelId: 'web-1',
        detail: { request: 'renew', count: 1 },
      },
    ]);
    vi.advanceTimersByTime(60_000);
    expect(counts()).toEqual([
      ['ERR_FLEET_KEY_UNKNOWN', 1],
      ['ERR_FLEET_KEY_UNKNOWN', 999],
    ]);
    vi.advanceTimersByTime(600_000);
    expect(told).toHaveLength(2);
  });

  it('distinguishes callers, codes and peels', () => {
    const { refusals, told } = started();
    refusals.note(refused);
    refusals.note({ ...refused, code: 'ERR_FLEET_PROOF' });
    refusals.note({ ...refused, peelId: 'web-2' });
    refusals.note({ ...refused, by: { kind: 'peel', name: 'web-2' } });
    expect(told).toHaveLength(4);
  });

  it('cannot be filled by a caller that invents a new peel or key each time', () => {
    const { refusals, told, counts } = started();
    for (let i = 0; i < 1_000; i++) refusals.note({ ...refused, peelId: `web-${i}` });
    expect(told.length).toBeLessThanOrEqual(21);
    refusals.close();
    expect(counts().reduce((sum, [, count]) => sum + Number(count), 0)).toBe(1_000);
    expect(told.length).toBeLessThanOrEqual(22);
  });

  it('cannot be filled by a caller that invents a new name each time, which nothing proves', () => {
    const { refusals, told, counts } = started();
    for (let i = 0; i < 1_000; i++)
      refusals.note({ ...refused, by: { kind: 'unknown', name: `admin-${i}` } });
    expect(told.length).toBeLessThanOrEqual(21);
    expect(told.at(-1)?.by).toEqual({ kind: 'unknown', name: 'others' });
    refusals.note({ ...refused, by: { kind: 'admin', name: 'ann' } });
    expect(told.at(-1)?.by).toEqual({ kind: 'admin', name: 'ann' });
    refusals.close();
    expect(counts().reduce((sum, [, count]) => sum + Number(count), 0)).toBe(1_001);
  });
});

import { afterEach, describe, expect, it, vi } from 'vitest';
import type { AuditEntry } from '../../../src/master/audit/audit-log.js';
import { RefusalAudit, type RefusedRequest } from '../../../src/master/audit/refusal-audit.js';

afterEach(() => {
  vi.useRealTimers();
});

function started() {
  vi.useFakeTimers();
  const audited: AuditEntry[] = [];
  const refusals = new RefusalAudit({ note: (entry) => audited.push(entry) });
  const counts = () => audited.map(({ code, detail }) => [code, detail?.['count']]);
  return { audited, refusals, counts };
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
    const { refusals, audited, counts } = started();
    for (let i = 0; i < 1_000; i++) refusals.note(refused);
    expect(audited).toMatchObject([
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
    expect(audited).toHaveLength(2);
  });

  it('distinguishes callers, codes and peels', () => {
    const { refusals, audited } = started();
    refusals.note(refused);
    refusals.note({ ...refused, code: 'ERR_FLEET_PROOF' });
    refusals.note({ ...refused, peelId: 'web-2' });
    refusals.note({ ...refused, by: { kind: 'peel', name: 'web-2' } });
    expect(audited).toHaveLength(4);
  });

  it('cannot be filled by a caller that invents a new peel or key each time', () => {
    const { refusals, audited, counts } = started();
    for (let i = 0; i < 1_000; i++) refusals.note({ ...refused, peelId: `web-${i}` });
    expect(audited.length).toBeLessThanOrEqual(21);
    refusals.close();
    expect(counts().reduce((sum, [, count]) => sum + Number(count), 0)).toBe(1_000);
    expect(audited.length).toBeLessThanOrEqual(22);
  });

  it('cannot be filled by a caller that invents a new name each time, which nothing proves', () => {
    const { refusals, audited, counts } = started();
    for (let i = 0; i < 1_000; i++)
      refusals.note({ ...refused, by: { kind: 'unknown', name: `admin-${i}` } });
    expect(audited.length).toBeLessThanOrEqual(21);
    expect(audited.at(-1)?.by).toEqual({ kind: 'unknown', name: 'others' });
    refusals.note({ ...refused, by: { kind: 'admin', name: 'ann' } });
    expect(audited.at(-1)?.by).toEqual({ kind: 'admin', name: 'ann' });
    refusals.close();
    expect(counts().reduce((sum, [, count]) => sum + Number(count), 0)).toBe(1_001);
  });
});

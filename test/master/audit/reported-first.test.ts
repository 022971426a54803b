import { describe, expect, it } from 'vitest';
import { reportedFirst } from '../../../src/master/audit/reported-first.js';

const stream = { created: '2026-01-01T00:00:00Z', first: 50 };

describe('the deletions of the audit log that were reported', () => {
  it('are those in the last event', () => {
    expect(reportedFirst({ at: '2026-05-01T00:00:00Z', detail: { events: 39, first: 40 } }, stream)).toBe(40);
  });

  it('are none when the log has no such event', () => {
    expect(reportedFirst(undefined, stream)).toBe(1);
  });

  it('are none when the event is older than the stream, as after a restore', () => {
    expect(reportedFirst({ at: '2025-05-01T00:00:00Z', detail: { first: 400 } }, stream)).toBe(1);
  });

  it.each([{ at: '2026-05-01T00:00:00Z', detail: { events: 39 } }, { at: 3 }, 'text', null])(
    'are all earlier ones if the event of an earlier version has no sequence: %j',
    (event) => {
      expect(reportedFirst(event, stream)).toBe(50);
    },
  );
});

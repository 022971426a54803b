import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AuditLog, type AuditEntry } from '../../../src/master/audit/audit-log.js';
import type { AuditStream } from '../../../src/master/audit/audit-stream.js';
import type { AuditEvent } from '../../../src/protocol/records/audit-event.js';
import { generateKeyBundle } from '../../../src/nkeys/key-bundle.js';
import { AUDIT_GRACE_MS, AUDIT_SWEEP_INTERVAL_MS } from '../../../src/timing.js';
import { keptLog } from '../../support/kept-log.js';

const entry: AuditEntry = {
  kind: 'peel.accepted',
  by: { kind: 'admin', name: 'x' },
  peelId: 'web-1',
  number: 1,
};

/** A stream in memory that refuses or loses a given number of events. */
function started() {
  const stored = new Map<string, { subject: string; event: AuditEvent }>();
  const stream = { failures: 0, lost: 0, attempts: [] as string[] };
  let onStored: (id: string) => void = () => undefined;
  let closeConnection: () => void = () => undefined;
  const closed = new Promise<void>((resolve) => (closeConnection = resolve));
  const fake: AuditStream = {
    publish: async (subject, data, msgID) => {
      stream.attempts.push(msgID);
      if (stream.failures-- > 0) throw new Error('no leader');
      if (stream.lost-- > 0) return 0;
      stored.set(msgID, { subject, event: JSON.parse(Buffer.from(data).toString()) as AuditEvent });
      return stored.size;
    },
    onStored: (listener) => {
      onStored = listener;
      return () => undefined;
    },
    closed: () => closed,
  };
  const { logger, lines } = keptLog();
  const log = new AuditLog(fake, logger);
  const warnings = () => lines.filter(({ level }) => level === 'warn').map(({ text }) => text);
  return { log, stream, stored, warnings, confirm: (id: string) => onStored(id), closeConnection };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('the audit log', () => {
  it('stores an event under its own ID, on the subject of its peel', async () => {
    const { log, stored } = started();
    log.note(entry);
    await vi.advanceTimersByTimeAsync(0);
    const [[id, { subject, event }] = ['', { subject: '', event: undefined }]] = stored;
    expect(event).toMatchObject({ ...entry, id });
    expect(subject).toBe('zester.audit.web-1.peel.accepted');
  });

  it('stores an event that can be read, whatever text is redacted in it', async () => {
    const { log, stored } = started();
    const seed = Buffer.from(generateKeyBundle('user').seed).toString();
    const encoded = Buffer.from(seed).toString('base64');
    // in JSON, an escape is in front of each
    for (const before of ['\n', '\u001b', '\u0002']) {
      log.note({ ...entry, reason: `${before}${encoded}` });
      log.note({ ...entry, reason: `${before}${seed}` });
    }
    await vi.advanceTimersByTimeAsync(0);
    const reasons = [...stored.values()].map(({ event }) => event.reason);
    expect(reasons).toEqual(
      ['\n', '\u001b', '\u0002'].flatMap((before) => [`${before}(a seed, encoded)`, `${before}(a seed)`]),
    );
  });

  it('retries until an event is stored, and warns once', async () => {
    const { log, stream, stored, warnings } = started();
    stream.failures = 12;
    log.note(entry);
    await vi.advanceTimersByTimeAsync(600_000);
    expect(stored.size).toBe(1);
    expect(new Set(stream.attempts).size).toBe(1);
    expect(warnings()).toEqual(['cannot write the audit log; retrying']);
  });

  it('uses another message ID if the server knows one whose event was never stored', async () => {
    const { log, stream, stored } = started();
    stream.lost = 8;
    log.note(entry);
    await vi.advanceTimersByTimeAsync(600_000);
    const [[msgID, { event }] = ['', { event: undefined }]] = stored;
    expect(msgID).not.toBe(event?.id);
    expect(msgID.startsWith(event?.id ?? '-')).toBe(true);
  });

  it('removes seeds from stored events', async () => {
    const { log, stored } = started();
    const seed = `SUA${'M'.repeat(55)}`;
    log.note({ ...entry, reason: `the file has ${seed}` });
    await vi.advanceTimersByTimeAsync(0);
    expect(JSON.stringify([...stored.values()])).not.toContain(seed);
  });

  it('publishes the event of a master that died, and not one that it has seen in the stream', async () => {
    const { log, stored, confirm } = started();
    const [dead, alive] = [log.complete(entry) as AuditEvent, log.complete(entry) as AuditEvent];
    log.expect(dead);
    log.expect(alive);
    confirm(alive.id);
    await vi.advanceTimersByTimeAsync(AUDIT_GRACE_MS + 2 * AUDIT_SWEEP_INTERVAL_MS);
    expect([...stored.keys()]).toEqual([dead.id]);
    await log.close();
  });

  it('waits for its events when it is closed, but not forever', async () => {
    const { log, stream, warnings } = started();
    stream.failures = Infinity;
    log.note(entry);
    const closing = log.close(1_000);
    await vi.advanceTimersByTimeAsync(1_000);
    await closing;
    expect(warnings()).toContain('stopped before all audit events were stored');
  });

  it('does not wait without a connection', async () => {
    const { log, stream, closeConnection } = started();
    stream.failures = Infinity;
    log.note(entry);
    closeConnection();
    await log.close(60_000);
  });
});

import { describe, expect, it } from 'vitest';
import type { PeelEvent } from '../../src/peel/events.js';
import { afterPeelEvent, peelHealth } from '../../src/peel/health.js';
import { PeelMetrics } from '../../src/peel/metrics.js';

const well = {
  end: undefined,
  connected: true,
  expiresAt: 2_000,
  now: 1_000,
  commands: 0,
  renewalFailure: undefined,
};

describe('the health of a peel', () => {
  it('is healthy while it is connected with a valid credential', () => {
    expect(peelHealth(well)).toEqual({
      ok: true,
      problems: [],
      connected: true,
      expiresAt: 2_000,
      commands: 0,
    });
    expect(peelHealth({ ...well, expiresAt: undefined }).ok).toBe(true);
  });

  it.each([
    [{ connected: false }, 'the connection is down, and is being restored'],
    [{ now: 2_000 }, 'the credential has expired'],
    [{ renewalFailure: 'the credential was not renewed: no' }, 'the credential was not renewed: no'],
    [{ end: 'drained', connected: false }, 'the peel is over: drained'],
  ])('with %j says: %s', (facts, problem) => {
    expect(peelHealth({ ...well, ...facts })).toMatchObject({ ok: false, problems: [problem] });
  });

  it('names a renewal that failed until one works', () => {
    const failed: PeelEvent = {
      type: 'renewalFailed',
      what: 'renewal',
      error: new Error('no master'),
      retryInMs: 1,
      remainingMs: 1,
    };
    const failure = afterPeelEvent(undefined, failed);
    expect(failure).toBe('the credential was not renewed: no master');
    expect(afterPeelEvent(failure, { type: 'disconnected' })).toBe(failure);
    expect(afterPeelEvent(failure, { type: 'renewed', publicKey: 'U', expiresAt: 1 })).toBeUndefined();
  });
});

it('the metrics of a peel count events, and have no sample for a credential that does not expire', () => {
  const metrics = new PeelMetrics();
  for (const durationMs of [500, 1_500])
    metrics.count({ type: 'command', handler: 'ping', outcome: 'ok', durationMs });
  metrics.count({ type: 'reconnected', server: 's' });
  const text = metrics.text(peelHealth({ ...well, expiresAt: undefined }));
  expect(text).toContain('zester_peel_commands_total{handler="ping",outcome="ok"} 2\n');
  expect(text).toContain('zester_peel_command_seconds_total{handler="ping",outcome="ok"} 2\n');
  expect(text).toContain('zester_peel_reconnects_total 1\n');
  expect(text).not.toMatch(/^zester_peel_credential_expiry_timestamp_seconds/m);
});

import { describe, expect, it } from 'vitest';
import type { PeelEvent } from '../../src/peel/events.js';
import { afterPeelEvent, peelHealth } from '../../src/peel/health.js';
import { PeelMetrics } from '../../src/peel/metrics.js';

const well: Parameters<typeof peelHealth>[0] = {
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

const ERROR = new Error('no master');
const EXPIRES = { publicKey: 'U', expiresAt: 1 };

/** What a peel in good health shows for each of its metrics, after these events. */
const SHOWN: readonly [sample: string, ...events: PeelEvent[]][] = [
  ['zester_peel_connected 1'],
  ['zester_peel_commands_active 3'],
  ['zester_peel_credential_expiry_timestamp_seconds 2'],
  [
    'zester_peel_commands_total{handler="ping",outcome="ok"} 2',
    { type: 'command', handler: 'ping', outcome: 'ok', durationMs: 500 },
    { type: 'command', handler: 'ping', outcome: 'ok', durationMs: 1_500 },
  ],
  [
    'zester_peel_command_seconds_total{handler="unknown",outcome="ERR_FLEET_NO_HANDLER"} 0.5',
    { type: 'command', handler: undefined, outcome: 'ERR_FLEET_NO_HANDLER', durationMs: 500 },
  ],
  ['zester_peel_reconnects_total 1', { type: 'disconnected' }, { type: 'reconnected', server: 's' }],
  ['zester_peel_renewals_total 1', { type: 'renewed', ...EXPIRES }],
  ['zester_peel_key_rotations_total 1', { type: 'keyRotated', replaces: 'V', ...EXPIRES }],
  ['zester_peel_recoveries_total 1', { type: 'recovered', replaces: 'V', ...EXPIRES }],
  [
    'zester_peel_renewal_failures_total 2',
    { type: 'renewalFailed', what: 'renewal', error: ERROR, retryInMs: 1, remainingMs: 1 },
    { type: 'renewalFailed', what: 'rotation', error: ERROR, retryInMs: 1, remainingMs: 1 },
  ],
];

describe('the metrics of a peel', () => {
  const textAfter = (events: readonly PeelEvent[], facts: Partial<typeof well> = {}) => {
    const metrics = new PeelMetrics();
    for (const event of events) metrics.count(event);
    return metrics.text(peelHealth({ ...well, commands: 3, ...facts }));
  };

  it.each(SHOWN)('show %s', (sample, ...events) => {
    expect(textAfter(events).split('\n')).toContain(sample);
  });

  it('are all shown above', () => {
    const names = [...textAfter([]).matchAll(/^# TYPE (\w+)/gm)].map(([, name]) => name);
    expect(SHOWN.map(([sample]) => /^\w+/.exec(sample)?.[0])).toEqual(names);
  });

  it('have no sample for a credential that does not expire', () => {
    expect(textAfter([], { expiresAt: undefined })).not.toMatch(
      /^zester_peel_credential_expiry_timestamp_seconds/m,
    );
  });
});

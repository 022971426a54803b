import { describe, expect, it } from 'vitest';
import * as timing from '../src/timing.js';

/** Dependent waits: each must be shorter than the next. */
const ASCENDING: readonly (readonly [why: string, ...ms: number[]])[] = [
  [
    'a watch of connections is known to be alive, and the next one begins before it ends',
    timing.PRESENCE_WATCH_GATHER_MS,
    timing.PRESENCE_WATCH_HEARTBEAT_MS,
    timing.PRESENCE_WATCH_SILENCE_MS,
    timing.PRESENCE_WATCH_HANDOVER_MS,
    timing.PRESENCE_WATCH_LEASE_MS,
    timing.ASK_PART_TIMEOUT_MS,
  ],
  [
    'a holder of the lease renews it before it lapses, and it lapses before a master that starts gives up',
    timing.LEASE_RENEW_INTERVAL_MS + timing.LEASE_WRITE_TIMEOUT_MS,
    timing.LEASE_LAPSE_MS,
    timing.READY_TIMEOUT_MS,
  ],
  [
    'a holder whose connection has ended has missed a renewal, and loses the lease before it lapses',
    timing.LEASE_RENEW_INTERVAL_MS,
    timing.LEASE_QUIET_MS,
    timing.LEASE_QUIET_MS + timing.CONNECTION_OPEN_TIMEOUT_MS + timing.LEASE_RENEW_INTERVAL_MS,
    timing.LEASE_LAPSE_MS,
  ],
  ['a master drops a request once its caller has given up', timing.REQUEST_STALE_MS, timing.ASK_TIMEOUT_MS],
  [
    'a policy decides while the host that joins waits for the answer',
    timing.POLICY_TIMEOUT_MS,
    timing.POLICY_MAX_TIMEOUT_MS,
    timing.JOIN_ANSWER_TIMEOUT_MS,
  ],
  ['a request is sent again while its caller waits', ...timing.RESEND_AT_MS, timing.ASK_TIMEOUT_MS],
  [
    'an unconfirmed revocation is answered while its caller waits, an election of JetStream included',
    timing.CONFIRM_TIMEOUT_MS + timing.CONFIRM_REASON_TIMEOUT_MS + timing.ELECTION_TIMEOUT_MS,
    timing.ASK_CONFIRMED_TIMEOUT_MS,
  ],
  [
    'a command waits for a replaced key while it drains',
    timing.RETIRE_MS,
    timing.REPLACED_REVOKED_TIMEOUT_MS,
  ],
  [
    'the open breaker is written again before the store forgets it',
    timing.BREAKER_WRITE_INTERVAL_MS,
    timing.CHALLENGE_LIFETIME_MS,
  ],
  [
    'another master publishes an event while the audit still deduplicates it',
    timing.AUDIT_GRACE_MS,
    timing.AUDIT_SEEN_KEPT_MS,
    timing.AUDIT_DEDUPLICATION_MS,
  ],
  ['a handover waits for the handlers of commands', timing.HANDLER_TIMEOUT_MS, timing.HANDOVER_TIMEOUT_MS],
  [
    'a renewal is tried again soon at first',
    timing.RENEWAL_MIN_RETRY_MS,
    timing.RENEWAL_MAX_FIRST_RETRY_MS,
    timing.RENEWAL_EXPIRED_MAX_RETRY_MS,
    timing.RENEWAL_MAX_RETRY_MS,
  ],
  [
    'a peel that is refused at its start tries again later than after a lost connection',
    timing.RECONNECT_WAIT_MS,
    timing.START_REFUSED_RETRY_MS,
    timing.RECONNECT_MAX_WAIT_MS,
  ],
  [
    'a client gives up before the server that is busy drops it',
    timing.DIAL_TIMEOUT_MS,
    timing.SERVER_AUTHORIZATION_TIMEOUT_SECONDS * 1_000,
  ],
  ['backoff begins below its limit', timing.JOIN_FIRST_RETRY_MS, timing.JOIN_MAX_RETRY_MS],
  ['backoff begins below its limit', timing.AUDIT_FIRST_RETRY_MS, timing.AUDIT_MAX_RETRY_MS],
  ['backoff begins below its limit', timing.MIRROR_FIRST_RETRY_MS, timing.MIRROR_MAX_RETRY_MS],
  ['backoff begins below its limit', timing.PRESENCE_FIRST_RETRY_MS, timing.PRESENCE_MAX_RETRY_MS],
  ['backoff begins below its limit', timing.FIRST_RESTART_DELAY_MS, timing.MAX_RESTART_DELAY_MS],
];

describe('waits that depend on each other', () => {
  for (const [why, ...ms] of ASCENDING)
    it(why, () => {
      expect(ms).toEqual([...new Set(ms)].sort((a, b) => a - b));
    });
});

describe('every constant of timing.ts', () => {
  it('names its unit and is positive', () => {
    for (const [name, value] of Object.entries(timing)) {
      expect(name).toMatch(/_(MS|SECONDS)$/);
      for (const one of [value].flat()) expect(one, name).toBeGreaterThan(0);
    }
  });
});

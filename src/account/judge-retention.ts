// Judges the past and upcoming deletions of the audit log's retention: a pure function.
import { AUDIT_NOTICE_MS } from '../timing.js';

/** How long the audit log keeps events. */
export interface AuditRetention {
  /** Milliseconds; 0: forever. */
  maxAgeMs: number;
  /** 0: as much as JetStream may store. */
  maxBytes: number;
}

/** A stream, as a server reports it. */
export interface StreamHeld {
  config: { max_age?: number | undefined; max_bytes?: number | undefined };
  state: { messages: number; bytes: number; first_seq: number; first_ts: string };
}

/** The past and upcoming deletions. */
export interface RetentionVerdict {
  retention: AuditRetention;
  /** The stored bytes. */
  bytes: number;
  /** ISO 8601: when the oldest event was stored; undefined: there is none. */
  oldest: string | undefined;
  /**
   * Why events before the oldest one are gone: `age` and `size` are due to the retention. `unexplained`: it cannot
   * have deleted them, so someone did.
   */
  deleted: 'nothing' | 'age' | 'size' | 'unexplained';
  /** The limit that will delete events soon: within 30 days by age, or above nine tenths of the size. */
  soon: 'age' | 'size' | undefined;
}

const NANOS_PER_MS = 1e6;
/** Above this share of the size, the limit will delete soon. */
const NEAR_FULL = 0.9;
/** Below this share of the size, and of the age of the oldest event, the limit did not delete. */
const REACHED = 0.5;

/** The limits of a stream. */
export function retentionOf({ max_age = 0, max_bytes = 0 }: StreamHeld['config']): AuditRetention {
  return { maxAgeMs: Math.round(max_age / NANOS_PER_MS), maxBytes: Math.max(0, max_bytes) };
}

/** @param now milliseconds since 1970, by the servers' clock */
export function judgeRetention({ config, state }: StreamHeld, now: number): RetentionVerdict {
  const retention = retentionOf(config);
  const { maxAgeMs, maxBytes } = retention;
  const oldest = state.messages === 0 ? undefined : state.first_ts;
  const age = oldest === undefined ? undefined : now - Date.parse(oldest);
  return { retention, bytes: state.bytes, oldest, deleted: deleted(), soon: soon() };

  function deleted(): RetentionVerdict['deleted'] {
    if (state.first_seq <= 1) return 'nothing';
    if (maxBytes > 0 && state.bytes >= maxBytes * REACHED) return 'size';
    // the oldest event is nearly as old as the limit allows, unless nothing happened for a long time
    if (maxAgeMs > 0 && (age === undefined || age >= maxAgeMs * REACHED)) return 'age';
    return 'unexplained';
  }

  function soon(): RetentionVerdict['soon'] {
    if (maxBytes > 0 && state.bytes >= maxBytes * NEAR_FULL) return 'size';
    const notice = Math.min(AUDIT_NOTICE_MS, maxAgeMs / 10);
    return maxAgeMs > 0 && age !== undefined && age >= maxAgeMs - notice ? 'age' : undefined;
  }
}

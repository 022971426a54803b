// Follows the audit log, and resumes after an outage without a gap.
import { setTimeout as delay } from 'node:timers/promises';
import { withDeadline } from '../async/deadline.js';
import { errorTraits } from '../error-traits.js';
import { ZesterError } from '../errors.js';
import type { AuditEvent } from '../protocol/records/audit-event.js';
import { matchesAuditQuery, type AuditQuery } from '../protocol/records/audit-query.js';
import { parseEvent } from '../protocol/records/parse-event.js';
import { subjectFor } from '../permissions/names.js';
import { RecentIds } from '../protocol/recent-ids.js';
import type { NatsConnection } from '@nats-io/nats-core';
import type { AdminClient } from '../protocol/admin-client.js';
import {
  FOLLOW_INTERVAL_MS,
  FOLLOW_LAST_TIMEOUT_MS,
  FOLLOW_OVERLAP_MS,
  FOLLOW_RETRY_MS,
  FOLLOW_STORED_RETRY_MS,
} from '../timing.js';

/**
 * An event is received when it is published, and readable once it is stored: the number of read attempts in between.
 */
const STORED_ATTEMPTS = 8;

/** The callbacks of {@link followAudit}. */
export interface FollowAudit {
  /** Nothing more is read while the returned promise is pending (backpressure). */
  onEvent: (event: AuditEvent) => void | Promise<void>;
  /** Called once per outage when the audit log is temporarily unreadable; following resumes by itself. */
  onWait: (why: string) => void;
  /** Called when the stream was deleted and recreated. */
  onRestart: () => void;
  signal: AbortSignal;
}

/**
 * Delivers the events of the audit log in stream order, each once, until the signal is aborted. All events are read
 * from the stream, and each read continues after the last one; messages on the audit subjects only trigger reads. So an
 * event written while this connection, its server or every master was down is delivered when they are back.
 *
 * @throws errors of the first read; later, permanent errors
 */
export async function followAudit(
  { client, nc }: { client: AdminClient; nc: NatsConnection },
  query: AuditQuery,
  { onEvent, onWait, onRestart, signal }: FollowAudit,
): Promise<void> {
  const wake = new Wake();
  /** IDs of events that were received, but not read yet. */
  const unread = new Set<string>();
  const ended = new AbortController();
  const end = (): void => {
    ended.abort();
    wake.up();
  };
  if (signal.aborted) return;
  signal.addEventListener('abort', end, { once: true });
  void nc.closed().then(end);
  const subscription = nc.subscribe(subjectFor.audit(query.peelId ?? '*'), {
    callback: (error, { data }) => {
      const event = error === null ? parseEvent(data) : undefined;
      if (event === undefined || !matchesAuditQuery(query, event)) return;
      if (unread.size < 1_000) unread.add(event.id);
      wake.up();
    },
  });
  void (async () => {
    for await (const { type } of nc.status()) if (type === 'reconnect') wake.up();
  })();
  const timer = setInterval(() => wake.up(), FOLLOW_INTERVAL_MS);

  const reader = new StreamReader(client, query, { onEvent, onRestart, unread, wake });
  const read = () => reader.read();

  try {
    await nc.flush();
    await read();
    let failed = 0;
    while (!ended.signal.aborted) {
      await wake.next();
      for (let attempt = 1; !ended.signal.aborted; attempt++) {
        try {
          await read();
          failed = 0;
          if (unread.size === 0) break;
          if (attempt >= STORED_ATTEMPTS) {
            // it was published but not stored; if it is stored later, the next check finds it
            unread.clear();
            break;
          }
          await pause(FOLLOW_STORED_RETRY_MS * attempt, ended.signal);
        } catch (error) {
          if (ended.signal.aborted) break;
          if (!isTransient(error, nc.isClosed())) throw error;
          if (failed === 0) onWait((error as Error).message);
          await pause(FOLLOW_RETRY_MS[Math.min(failed, FOLLOW_RETRY_MS.length - 1)] ?? 0, ended.signal);
          failed += 1;
        }
      }
    }
    // deliver events received before the end
    if (unread.size > 0 && !nc.isClosed()) {
      await withDeadline(
        read().catch(() => undefined),
        Date.now() + FOLLOW_LAST_TIMEOUT_MS,
      );
    }
  } finally {
    clearInterval(timer);
    signal.removeEventListener('abort', end);
    if (!nc.isClosed()) subscription.unsubscribe();
  }
}

function isTransient(error: unknown, closed: boolean): boolean {
  if (closed) return false;
  return error instanceof ZesterError ? errorTraits(error.code)?.retryable === true : error instanceof Error;
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => undefined);
}

/** Coalesces wake-ups: several before the next wait count as one. */
class Wake {
  #is = false;
  #waiting: (() => void) | undefined;

  up(): void {
    this.#is = true;
    this.#waiting?.();
  }

  async next(): Promise<void> {
    if (!this.#is) await new Promise<void>((resolve) => (this.#waiting = resolve));
    this.#is = false;
    this.#waiting = undefined;
  }
}

/** Reads the audit log, each time from the end of the last read, and delivers each event once. */
class StreamReader {
  readonly #client: AdminClient;
  readonly #query: AuditQuery;
  readonly #to: Pick<FollowAudit, 'onEvent' | 'onRestart'> & { unread: Set<string>; wake: Wake };
  readonly #known = new RecentIds();
  #after: number | undefined;
  /** For a master that sends no sequence numbers: the time to resume from. */
  #since: string | undefined;

  constructor(
    client: AdminClient,
    query: AuditQuery,
    to: Pick<FollowAudit, 'onEvent' | 'onRestart'> & { unread: Set<string>; wake: Wake },
  ) {
    this.#client = client;
    this.#query = query;
    this.#to = to;
    this.#since = query.since;
  }

  async read(): Promise<void> {
    const { onEvent, onRestart, unread, wake } = this.#to;
    const from = this.#after ?? 0;
    for await (const { events, lastSeq } of this.#client.stream('audit', this.#request())) {
      for (const event of events as AuditEvent[]) {
        unread.delete(event.id);
        if (!matchesAuditQuery(this.#query, event) || !this.#known.add(event.id)) continue;
        await onEvent(event);
        if (lastSeq === undefined)
          this.#since = new Date(Date.parse(event.at) - FOLLOW_OVERLAP_MS).toISOString();
      }
      if (lastSeq === undefined) continue;
      if (lastSeq < from) {
        onRestart();
        this.#after = 0;
        wake.up();
        return;
      }
      this.#after = Math.max(this.#after ?? 0, lastSeq);
    }
  }

  #request() {
    const { peelId, patterns, kinds, last } = this.#query;
    const since = this.#since;
    const which = { peelId, patterns: patterns && [...patterns], kinds: kinds && [...kinds], since };
    if (this.#after !== undefined) return { ...which, after: this.#after };
    return { ...which, ...(since === this.#query.since && { last }) };
  }
}

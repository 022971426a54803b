// Publishes audit events, and confirms that they are stored.
import { nuid, type NatsConnection, type Subscription } from '@nats-io/nats-core';
import { setTimeout as delay } from 'node:timers/promises';
import { withDeadline } from '../../async/deadline.js';
import { redactSeeds } from '../../errors.js';
import type { AuditEvent } from '../../protocol/records/audit-event.js';
import { auditSubjects, matchesAuditQuery, type AuditQuery } from '../../protocol/records/audit-query.js';
import { parseEvent } from '../../protocol/records/parse-event.js';
import {
  AUDIT_STREAM,
  AUDIT_SUBJECTS,
  auditSubject,
  STORED_AUDIT_SUBJECTS,
} from '../../permissions/names.js';
import { ToldOnce } from '../../protocol/recent-ids.js';
import { isPeelId } from '../../permissions/peel-id.js';
import type { MasterLogger } from '../logger.js';
import { readStream } from '../store/read-stream.js';
import type { Store } from '../store/store.js';
import { storeFailureOf } from '../store/store-failure.js';
import {
  AUDIT_CLOSE_TIMEOUT_MS,
  AUDIT_DEDUPLICATION_MS,
  AUDIT_FIRST_RETRY_MS,
  AUDIT_GRACE_MS,
  AUDIT_MAX_RETRY_MS,
  AUDIT_RETRY_LOG_MS,
  AUDIT_SEEN_KEPT_MS,
  AUDIT_SWEEP_INTERVAL_MS,
} from '../../timing.js';

/** An event before it has its id and its time. */
export type AuditEntry = AuditEvent extends infer E
  ? E extends AuditEvent
    ? Omit<E, 'id' | 'at'>
    : never
  : never;

/** An event, and its position in the stream. */
export interface StoredEvent {
  event: AuditEvent;
  seq: number;
}

/**
 * The stream of what was decided. An event is published with its id as the message's, so that it stands there once,
 * however often and by whomever it is published within ten minutes.
 */
export class AuditLog {
  readonly #store: Store;
  readonly #logger: MasterLogger;
  readonly #now: () => number;
  readonly #subscription: Subscription;
  /** Events that others wrote into a record, and that have not been seen in the stream yet. */
  readonly #awaited = new Map<string, { event: AuditEvent; since: number }>();
  /** Events seen lately, since the stream may be faster than the watch of a record. */
  readonly #seen = new Map<string, number>();
  readonly #sweeping: NodeJS.Timeout;
  readonly #publishing = new Set<Promise<void>>();
  readonly #connectionClosed: Promise<unknown>;
  #closed = false;

  constructor(nc: NatsConnection, store: Store, logger: MasterLogger, now: () => number = Date.now) {
    this.#store = store;
    this.#connectionClosed = nc.closed().then(() => (this.#closed = true));
    this.#logger = logger;
    this.#now = now;
    // not the event itself: that it was published does not say that it was stored, and its master may die before it is
    this.#subscription = nc.subscribe(STORED_AUDIT_SUBJECTS, {
      callback: (error, msg) => {
        if (error !== null) return;
        const id = msg.headers?.get('Nats-Msg-Id') ?? '';
        this.#seen.set(id, Date.now());
        this.#awaited.delete(id);
      },
    });
    this.#sweeping = setInterval(() => this.#sweep(), AUDIT_SWEEP_INTERVAL_MS);
    this.#sweeping.unref();
  }

  /** Gives an event its id and its time. */
  complete<E extends AuditEntry>(entry: E): E & { id: string; at: string } {
    return { ...entry, id: nuid.next(), at: new Date(this.#now()).toISOString() };
  }

  /** Publishes an event that is about no change of a record. Does not wait; it is tried until it is there. */
  note(entry: AuditEntry): void {
    this.publish(this.complete(entry) as AuditEvent);
  }

  /** Publishes an event, and does not wait. It is tried until it is there, or {@link close} ends. */
  publish(event: AuditEvent): void {
    const { kind, peelId, publicKey, reason, code, by } = event;
    const refused = kind.endsWith('refused') || kind.endsWith('failed') || kind.endsWith('incomplete');
    this.#logger[refused ? 'warn' : 'info'](
      { kind, peelId, publicKey, reason, code, by: by.name },
      `audit: ${kind}`,
    );
    const publishing = this.#publish(event).finally(() => this.#publishing.delete(publishing));
    this.#publishing.add(publishing);
  }

  /** Ensures that an event of a record gets into the stream, whichever master wrote it. */
  expect(event: AuditEvent): void {
    if (!this.#seen.has(event.id)) this.#awaited.set(event.id, { event, since: Date.now() });
  }

  /** When the last event was written, in milliseconds since 1970 by the servers' clock; undefined: there is none. */
  async lastAt(): Promise<number | undefined> {
    const { state } = await this.#store.jsm.streams.info(AUDIT_STREAM);
    return state.messages === 0 ? undefined : Date.parse(state.last_ts);
  }

  /**
   * Publishes an event that another master wrote into a record, if it is not known to be in the stream: that master may
   * have been killed, and what is written over its record hides the event from the others. One that is older than a
   * message id is remembered for was completed long ago.
   */
  publishUnseen(event: AuditEvent): void {
    const age = this.#now() - Date.parse(event.at);
    if (age < AUDIT_DEDUPLICATION_MS / 2 && !this.#seen.has(event.id)) this.publish(event);
  }

  /** The events that the stream has, oldest first. */
  async *read(query: AuditQuery = {}): AsyncIterableIterator<AuditEvent> {
    for await (const { event } of this.readStored(query)) yield event;
  }

  /**
   * As {@link read}, with the place of each event.
   *
   * @param onNewest called with the sequence of the newest event that the filter matches: later events come after it
   */
  async *readStored(
    query: AuditQuery = {},
    onNewest?: (seq: number) => void,
  ): AsyncIterableIterator<StoredEvent> {
    const { since, until, after, last } = query;
    const { peelId, patterns, kinds } = query;
    const all = peelId === undefined && patterns === undefined && kinds === undefined && until === undefined;
    const messages = readStream(this.#store, AUDIT_STREAM, {
      filter: all ? AUDIT_SUBJECTS : auditSubjects(query),
      since,
      until,
      after,
      // of all events, the last so many begin at a sequence that is known
      last: all ? last : undefined,
      onNewest,
    });
    const kept: StoredEvent[] = [];
    let count = 0;
    // a cluster that changes its leader in the middle of a publish may have stored an event twice
    const known = new ToldOnce();
    for await (const { data, seq } of messages) {
      const event = parseEvent(data);
      if (event === undefined || !matchesAuditQuery(query, event) || !known.add(event.id)) continue;
      if (last === undefined) yield { event, seq };
      else kept[count++ % last] = { event, seq };
    }
    if (last === undefined) return;
    const first = count > last ? count % last : 0;
    yield* kept.slice(first);
    yield* kept.slice(0, first);
  }

  /** As {@link read}, until a deadline; undefined: it cannot be read by then, as while JetStream elects a leader. */
  async readWithin(query: AuditQuery, deadline: number): Promise<AuditEvent[] | undefined> {
    const readAll = async () => {
      const events: AuditEvent[] = [];
      for await (const event of this.read(query)) events.push(event);
      return events;
    };
    const events = readAll().catch((error: unknown) => {
      this.#logger.warn({ error: String(error) }, 'the audit log is temporarily unreadable');
      return undefined;
    });
    return withDeadline(events, deadline);
  }

  /** Waits until what was published is there, at most `waitMs`, and no longer than there is a connection. */
  async close(waitMs = AUDIT_CLOSE_TIMEOUT_MS): Promise<void> {
    clearInterval(this.#sweeping);
    if (!this.#closed) this.#subscription.unsubscribe();
    const timer = new AbortController();
    await Promise.race([
      Promise.all(this.#publishing),
      this.#connectionClosed,
      delay(waitMs, undefined, { signal: timer.signal }).catch(() => undefined),
    ]);
    timer.abort();
    this.#closed = true;
    if (this.#publishing.size > 0)
      this.#logger.warn({ events: this.#publishing.size }, 'stopped with unwritten audit events');
  }

  async #publish(event: AuditEvent): Promise<void> {
    const peelId = isPeelId(event.peelId) ? event.peelId : undefined;
    const subject = auditSubject(peelId, event.kind);
    const data = Buffer.from(redactSeeds(JSON.stringify(event)));
    let msgID = event.id;
    let isTold = false;
    for (let wait = AUDIT_FIRST_RETRY_MS; !this.#closed; wait = Math.min(AUDIT_MAX_RETRY_MS, wait * 2)) {
      try {
        const { seq } = await this.#store.js.publish(subject, data, { msgID });
        if (seq === 0) {
          // it stands nowhere: the server knows the id of an attempt whose storing came to nothing. Readers take the event once
          if (wait >= AUDIT_RETRY_LOG_MS) msgID = `${event.id}-${wait}`;
          throw new Error('the server received the event but has not stored it');
        }
        this.#seen.set(event.id, Date.now());
        this.#awaited.delete(event.id);
        return;
      } catch (error) {
        if (this.#closed) return;
        if (wait >= AUDIT_RETRY_LOG_MS && !isTold) {
          isTold = true;
          this.#logger.warn(
            { reason: storeFailureOf(error)?.message ?? String(error) },
            'cannot write the audit log; retrying',
          );
        }
        // a master that has ended must not keep its process for the rest of this pause
        await delay(wait, undefined, { ref: false });
      }
    }
  }

  #sweep(): void {
    const now = Date.now();
    for (const [id, { event, since }] of this.#awaited) {
      if (now - since < AUDIT_GRACE_MS) continue;
      this.#awaited.delete(id);
      this.publish(event);
    }
    for (const [id, at] of this.#seen) {
      if (now - at < AUDIT_SEEN_KEPT_MS) break;
      this.#seen.delete(id);
    }
  }
}

// Publishes audit events, and confirms that they are stored.
import { nuid } from '@nats-io/nats-core';
import { withDeadline } from '../../async/deadline.js';
import { sleepUnref } from '../../async/sleep.js';
import { auditSubject } from '../../permissions/names.js';
import { isPeelId } from '../../permissions/peel-id.js';
import { redactedJson } from '../../nkeys/redacted-json.js';
import type { AuditEvent, RecordEvent } from '../../protocol/records/audit-event.js';
import type { PeelRecord } from '../../protocol/records/record.js';
import type { MasterLogger } from '../logger.js';
import { storeFailureOf } from '../store/store-failure.js';
import type { AuditStream } from './audit-stream.js';
import { UnconfirmedEvents } from './unconfirmed-events.js';
import {
  AUDIT_CLOSE_TIMEOUT_MS,
  AUDIT_FIRST_RETRY_MS,
  AUDIT_MAX_RETRY_MS,
  AUDIT_RETRY_LOG_MS,
  AUDIT_SWEEP_INTERVAL_MS,
} from '../../timing.js';

/** An event without its ID and time. */
export type AuditEntry = AuditEvent extends infer E
  ? E extends AuditEvent
    ? Omit<E, 'id' | 'at'>
    : never
  : never;

/** Called with an event, and with the record that it changed, before and after. */
export type OnOwnEvent = (event: AuditEvent, before?: PeelRecord, after?: PeelRecord) => void;

/**
 * The log of decisions. An event is published with its own ID as the message ID, so the stream stores it once within
 * the deduplication window, even if several masters publish it or one retries.
 */
export class AuditLog {
  readonly #stream: AuditStream;
  readonly #logger: MasterLogger;
  readonly #now: () => number;
  readonly #unconfirmed = new UnconfirmedEvents();
  readonly #unsubscribe: () => void;
  readonly #sweeping: NodeJS.Timeout;
  readonly #publishing = new Set<Promise<void>>();
  readonly #connectionClosed: Promise<unknown>;
  readonly #onOwn: OnOwnEvent;
  #closed = false;

  /** @param onOwn called with each event of this master; not with those that it publishes for another master */
  constructor(
    stream: AuditStream,
    logger: MasterLogger,
    now: () => number = Date.now,
    onOwn: OnOwnEvent = () => undefined,
  ) {
    this.#onOwn = onOwn;
    this.#stream = stream;
    this.#connectionClosed = stream.closed().then(() => (this.#closed = true));
    this.#logger = logger;
    this.#now = now;
    this.#unsubscribe = stream.onStored((id) => this.#unconfirmed.confirm(id, Date.now()));
    this.#sweeping = setInterval(() => {
      for (const event of this.#unconfirmed.takeOverdue(Date.now())) this.publish(event);
    }, AUDIT_SWEEP_INTERVAL_MS);
    this.#sweeping.unref();
  }

  /** Adds an ID and the time to an event. */
  complete<E extends AuditEntry>(entry: E): E & { id: string; at: string } {
    return { ...entry, id: nuid.next(), at: new Date(this.#now()).toISOString() };
  }

  /** Publishes an event that changes no record. Does not wait; retries until the event is stored. */
  note(entry: AuditEntry): void {
    const event = this.complete(entry) as AuditEvent;
    this.publish(event);
    this.#onOwn(event);
  }

  /** Publishes the event of a decision that this master has written into a record. */
  decided(event: AuditEvent, before: PeelRecord | undefined, after: PeelRecord): void {
    this.publish(event);
    this.#onOwn(event, before, after);
  }

  /** Publishes an event. Does not wait; retries until the event is stored or {@link close} gives up. */
  publish(event: AuditEvent | RecordEvent): void {
    const { kind, peelId, publicKey, reason, code, by } = event as AuditEvent;
    const refused = kind.endsWith('refused') || kind.endsWith('failed') || kind.endsWith('incomplete');
    this.#logger[refused ? 'warn' : 'info'](
      { kind, peelId, publicKey, reason, code, by: by.name },
      `audit: ${kind}`,
    );
    const publishing = this.#publish(event).finally(() => this.#publishing.delete(publishing));
    this.#publishing.add(publishing);
  }

  /** Ensures that the stream gets the event of a record, even if another master wrote the record. */
  expect(event: AuditEvent | RecordEvent): void {
    this.#unconfirmed.expect(event, Date.now());
  }

  /** Publishes an event of another master that may not be in the stream, before its record is overwritten. */
  publishUnseen(event: AuditEvent | RecordEvent): void {
    if (this.#unconfirmed.isMissing(event, this.#now())) this.publish(event);
  }

  /** Waits until all published events are stored, for at most `waitMs`, and only while there is a connection. */
  async close(waitMs = AUDIT_CLOSE_TIMEOUT_MS): Promise<void> {
    clearInterval(this.#sweeping);
    if (!this.#closed) this.#unsubscribe();
    const stored = Promise.all(this.#publishing);
    await withDeadline(Promise.race([stored, this.#connectionClosed]), Date.now() + waitMs);
    this.#closed = true;
    if (this.#publishing.size > 0)
      this.#logger.warn({ events: this.#publishing.size }, 'stopped before all audit events were stored');
  }

  async #publish(event: AuditEvent | RecordEvent): Promise<void> {
    const peelId = isPeelId(event.peelId) ? event.peelId : undefined;
    const subject = auditSubject(peelId, event.kind);
    const data = Buffer.from(redactedJson(event));
    let msgID = event.id;
    let isLogged = false;
    for (let wait = AUDIT_FIRST_RETRY_MS; !this.#closed; wait = Math.min(AUDIT_MAX_RETRY_MS, wait * 2)) {
      try {
        if ((await this.#stream.publish(subject, data, msgID)) === 0) {
          // the server knows the ID of an attempt that was never stored: use another. Readers deduplicate by event ID
          if (wait >= AUDIT_RETRY_LOG_MS) msgID = `${event.id}-${wait}`;
          throw new Error('the server received the event but has not stored it');
        }
        this.#unconfirmed.confirm(event.id, Date.now());
        return;
      } catch (error) {
        if (this.#closed) return;
        if (wait >= AUDIT_RETRY_LOG_MS && !isLogged) {
          isLogged = true;
          this.#logger.warn(
            { reason: storeFailureOf(error)?.message ?? String(error) },
            'cannot write the audit log; retrying',
          );
        }
        await sleepUnref(wait);
      }
    }
  }
}

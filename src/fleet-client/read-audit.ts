// Reads the audit log as an iteration, and follows it.
import type { NatsConnection } from '@nats-io/nats-core';
import type { AdminClient } from '../protocol/admin-client.js';
import type { AuditEvent } from '../protocol/records/audit-event.js';
import { matchesAuditQuery, type AuditQuery } from '../protocol/records/audit-query.js';
import { followAudit } from './follow-audit.js';

/** The options of reading the audit log. */
export interface ReadAuditOptions {
  /** Continue with new events as they are stored; false by default. */
  follow?: boolean | undefined;
  /** With `follow`: called once per outage when the audit log is temporarily unreadable; reading resumes by itself. */
  onWait?: ((why: string) => void) | undefined;
  /** With `follow`: called when the stream was deleted and recreated. */
  onRestart?: (() => void) | undefined;
}

/**
 * The matching events of the audit log, in stream order.
 *
 * @param signal ends following, without an error
 * @throws FleetError as `AdminClient.stream`
 */
export async function* readAudit(
  from: { client: AdminClient; nc: NatsConnection },
  { follow = false, onWait, onRestart, ...query }: AuditQuery & ReadAuditOptions,
  signal: AbortSignal | undefined,
): AsyncGenerator<AuditEvent, void, undefined> {
  if (!follow) {
    const { patterns, kinds, ...rest } = query;
    const request = {
      ...rest,
      ...(patterns && { patterns: [...patterns] }),
      ...(kinds && { kinds: [...kinds] }),
    };
    for await (const { events } of from.client.stream('audit', request)) {
      // an older master does not know every filter
      for (const event of events as AuditEvent[]) if (matchesAuditQuery(query, event)) yield event;
    }
    return;
  }
  const left = new AbortController();
  const events = new Handover<AuditEvent>();
  const following = followAudit(from, query, {
    onEvent: (event) => events.give(event),
    onWait: (why) => onWait?.(why),
    onRestart: () => onRestart?.(),
    signal: signal === undefined ? left.signal : AbortSignal.any([left.signal, signal]),
  });
  following.then(
    () => events.end(),
    (error: unknown) => events.end(error),
  );
  try {
    for (;;) {
      const event = await events.take();
      if (event === undefined) return;
      yield event;
    }
  } finally {
    left.abort();
    events.end();
  }
}

/** Passes values from a producer to a consumer, one at a time: `give` resolves when the value has been taken. */
class Handover<T> {
  #given: { value: T; taken: () => void } | undefined;
  #wake: () => void = () => undefined;
  #ended: { error?: unknown } | undefined;

  give(value: T): Promise<void> {
    if (this.#ended !== undefined) return Promise.resolve();
    return new Promise((taken) => {
      this.#given = { value, taken };
      this.#wake();
    });
  }

  end(error?: unknown): void {
    this.#ended ??= { error };
    this.#given?.taken();
    this.#wake();
  }

  /** @returns undefined at the end @throws the error that it was ended with */
  async take(): Promise<T | undefined> {
    for (;;) {
      const given = this.#given;
      if (given !== undefined) {
        this.#given = undefined;
        given.taken();
        return given.value;
      }
      if (this.#ended !== undefined) {
        if (this.#ended.error !== undefined) throw this.#ended.error;
        return undefined;
      }
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

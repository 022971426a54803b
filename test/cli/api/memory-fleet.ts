import { QueuedIteratorImpl } from '@nats-io/nats-core/internal';
import type { Fleet } from '../../../src/fleet-client/fleet.js';
import { applyEvent } from '../../../src/protocol/records/apply-event.js';
import type { AuditEvent, PeelChange, PeelEvent } from '../../../src/protocol/records/audit-event.js';
import type { ListedPeel } from '../../../src/protocol/messages.js';
import type { Presence } from '../../../src/protocol/records/presence.js';

/** The time of the first event, in milliseconds since 1970. */
export const START = Date.UTC(2030, 0, 1, 12);
const BY = { kind: 'admin', name: 'zester-admin' } as const;

/**
 * An in-memory fleet, with the part that a copy of its registry reads. Tests with a real fleet are in
 * `test/integration/fleet/http-interface.test.ts`.
 */
export class MemoryFleet {
  readonly peels = new Map<string, ListedPeel>();
  /** The lists and shown peels that were requested. */
  readonly requests: string[] = [];
  /** The error of the next list. */
  failure: Error | undefined;
  /** The audit log's reader misses events. */
  isDeaf = false;
  /** Runs during the next list, after its start. */
  duringList: (() => void | Promise<void>) | undefined;
  #audit = new QueuedIteratorImpl<AuditEvent>();
  readonly #presence = new QueuedIteratorImpl<{ peels: { id: string; presence: Presence }[] }>();

  get fleet(): Fleet {
    const peels = {
      list: () => this.#list(),
      show: async (id: string) => {
        this.requests.push(`show ${id}`);
        return { ...this.peels.get(id), events: [] };
      },
    };
    const client = { stream: () => this.#watch() };
    const fleet = { account: 'A', peels, client, audit: () => this.#follow(), actingAs: () => fleet };
    return fleet as unknown as Fleet;
  }

  /** A master decides this about a peel, and publishes the event. */
  decide(id: string, change: PeelChange): PeelEvent {
    const before = this.peels.get(id);
    const number = (before?.record.number ?? 0) + 1;
    const at = new Date(START + number * 1000).toISOString();
    const event: PeelEvent = { ...change, id: `${id}-${number}`, at, by: BY, peelId: id, number };
    this.peels.set(id, { ...before, record: applyEvent(before?.record, event) });
    this.publish(event);
    return event;
  }

  /** Delivers an event of the audit log. */
  publish(event: AuditEvent): void {
    if (!this.isDeaf) this.#audit.push(event);
  }

  /** A master reports the connections of a peel. */
  report(id: string, presence: Presence): void {
    this.#presence.push({ peels: [{ id, presence }] });
  }

  /** The reading of the audit log fails. */
  failAudit(error: Error): void {
    this.#audit.stop(error);
  }

  end(): void {
    this.#audit.stop();
    this.#presence.stop();
  }

  /** Each reader starts empty, and replaces the one before. */
  #follow(): AsyncIterable<AuditEvent> {
    this.#audit.stop();
    this.#audit = new QueuedIteratorImpl<AuditEvent>();
    return this.#audit;
  }

  async *#list(): AsyncGenerator<ListedPeel> {
    this.requests.push('list');
    const { failure, duringList } = this;
    this.failure = undefined;
    this.duringList = undefined;
    if (failure !== undefined) throw failure;
    const peels = [...this.peels.values()];
    await duringList?.();
    yield* peels;
  }

  async *#watch(): AsyncGenerator<{ peels: { id: string; presence: Presence }[] }> {
    yield { peels: [] };
    yield* this.#presence;
  }
}

/** A key that was issued for an hour. */
export const issued = (publicKey: string) => ({
  kind: 'key.issued' as const,
  key: { publicKey, issuer: 'ASIGNER', issuedAt: START / 1000, expiresAt: START / 1000 + 3_600 },
});

/** One connection with this key, reported so many seconds after the start. */
export const connectedWith = (publicKey: string, after = 0): Presence => {
  const at = new Date(START + after * 1000).toISOString();
  return { connections: [{ server: 'S1', cid: 1, publicKey, since: at }], lastSeen: at };
};

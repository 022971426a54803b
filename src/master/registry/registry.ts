// The registry of peels: compare-and-set decisions on records.
import { setTimeout as delay } from 'node:timers/promises';
import * as v from 'valibot';
import { FleetError } from '../../errors.js';
import { applyEvent } from '../../protocol/records/apply-event.js';
import { auditEventSchema, type PeelChange, type PeelEvent } from '../../protocol/records/audit-event.js';
import type { Actor } from '../../protocol/records/actor.js';
import { parseJson } from '../../protocol/messages.js';
import { recordSchema, type PeelRecord } from '../../protocol/records/record.js';
import { PEELS_BUCKET } from '../../permissions/names.js';
import { validatePeelId } from '../../permissions/peel-id.js';
import type { AuditLog } from '../audit/audit-log.js';
import { KvMirror } from '../store/kv-mirror.js';
import type { MasterLogger } from '../logger.js';
import { readStream } from '../store/read-stream.js';
import type { Store } from '../store/store.js';
import { AUDIT_COMPLETE_AFTER_MS, AUDIT_COMPLETE_RETRY_MS, AUDIT_LOOKBACK_MS } from '../../timing.js';

/** A record, and the event that made it: so no decision can stand without its event, wherever a master dies. */
const storedSchema = v.object({ record: recordSchema, event: auditEventSchema });
interface Stored {
  record: PeelRecord;
  event: PeelEvent;
}

/** What a decision contains besides the change itself. */
export interface Decision {
  change: PeelChange;
  by: Actor;
  reason?: string | undefined;
  from?: string | undefined;
  /** The key it is about, where the change does not name it. */
  publicKey?: string | undefined;
}

/**
 * The records of the peels, in JetStream and in memory. Each change is an event that is applied to a record by
 * compare-and-set, and is audited once.
 */
export class Registry {
  readonly #store: Store;
  readonly #mirror: KvMirror<Stored>;
  readonly #audit: AuditLog;
  /** Whose a public key is. */
  readonly #owners = new Map<string, string>();
  readonly #listeners = new Set<(record: PeelRecord, event: PeelEvent) => void>();

  readonly #logger: MasterLogger;
  #closed = false;

  private constructor(store: Store, mirror: KvMirror<Stored>, audit: AuditLog, logger: MasterLogger) {
    this.#store = store;
    this.#mirror = mirror;
    this.#logger = logger;
    this.#audit = audit;
    for (const [, { record }] of mirror.entries()) this.#index(record);
    mirror.onChange((_key, stored) => {
      if (stored === undefined) return;
      this.#index(stored.record);
      audit.expect(stored.event);
      for (const listener of this.#listeners) listener(stored.record, stored.event);
    });
  }

  /** Reads all records, and resolves when they are in memory. @throws FleetError `ERR_FLEET_STORE` */
  static async open(store: Store, audit: AuditLog, logger: MasterLogger): Promise<Registry> {
    const mirror = await KvMirror.open<Stored>({
      bucket: store.peels,
      schema: storedSchema as unknown as v.GenericSchema<unknown, Stored>,
      logger,
    });
    const registry = new Registry(store, mirror, audit, logger);
    void registry.#completeAudit();
    return registry;
  }

  /** The record as this master knows it: another may have changed it an instant ago. */
  get(peelId: string): PeelRecord | undefined {
    return this.#mirror.get(peelId)?.record;
  }

  /** The record as JetStream has it. */
  async refresh(peelId: string): Promise<PeelRecord | undefined> {
    return (await this.#mirror.refresh(peelId))?.record;
  }

  get size(): number {
    return this.#mirror.size;
  }

  *records(): IterableIterator<PeelRecord> {
    for (const [, { record }] of this.#mirror.entries()) yield record;
  }

  /** Which peel has, or had, this key. */
  ownerOf(publicKey: string): string | undefined {
    return this.#owners.get(publicKey);
  }

  /** Subscribes to each change, whichever master made it. Returns the function that unsubscribes. */
  onChange(listener: (record: PeelRecord, event: PeelEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Decides on a peel, by compare-and-set: `decide` is asked again when another master was faster, and its event is
   * published once it is in the record.
   *
   * @param decide gets the record as it stands, and gives what changes; undefined: nothing does
   * @returns the record now, which `decide` had to make if there was none; and whether this call changed it
   * @throws what `decide` throws; PeelIdError; FleetError `ERR_FLEET_UNKNOWN_PEEL` when there is no record and
   *   nothing makes one; `ERR_FLEET_STORE`
   */
  async decide(
    peelId: string,
    decide: (record: PeelRecord | undefined) => Decision | undefined,
  ): Promise<{ record: PeelRecord; changed: boolean }> {
    validatePeelId(peelId);
    let before: Stored | undefined;
    const { value, written } = await this.#mirror.change(peelId, (stored) => {
      before = stored;
      const decision = decide(stored?.record);
      if (decision === undefined) return undefined;
      const { change, by, reason, from, publicKey } = decision;
      const event = this.#audit.complete({
        ...(publicKey !== undefined && { publicKey }),
        ...change,
        by,
        peelId,
        number: (stored?.record.number ?? 0) + 1,
        ...(reason !== undefined && { reason }),
        ...(from !== undefined && { from }),
      }) as PeelEvent;
      return { record: applyEvent(stored?.record, event), event };
    });
    if (value === undefined) throw unknownPeel(peelId);
    if (written) {
      if (before !== undefined) this.#audit.publishUnseen(before.event);
      this.#audit.publish(value.event);
    }
    return { record: value.record, changed: written };
  }

  close(): void {
    this.#closed = true;
    this.#mirror.close();
  }

  #index(record: PeelRecord): void {
    for (const { publicKey } of record.keys) this.#owners.set(publicKey, record.id);
  }

  /**
   * Sees to it that the last events of records are in the audit: masters that were killed while this one was away may have
   * left some that nobody tells. As long as one lives, it does so within seconds; so what is missing is from about when the
   * audit ends. The bucket remembers some events of each record, and so also those that were written over.
   */
  async #completeAudit(): Promise<void> {
    let since: number | undefined;
    let told = false;
    while (!this.#closed) {
      try {
        // before this master writes there itself
        since ??= ((await this.#audit.lastAt()) ?? 0) - AUDIT_LOOKBACK_MS;
        // who wrote what is new has a while to tell it
        await delay(AUDIT_COMPLETE_AFTER_MS, undefined, { ref: false });
        return await this.#tellMissing(await this.#eventsSince(since), since);
      } catch (error) {
        if (this.#closed) return;
        if (!told) this.#logger.warn({ error: String(error) }, 'the audit log cannot be read; retrying');
        told = true;
        await delay(AUDIT_COMPLETE_RETRY_MS, undefined, { ref: false });
      }
    }
  }

  /** The events that records have had, by the servers' clock. */
  async #eventsSince(since: number): Promise<PeelEvent[]> {
    const events: PeelEvent[] = [];
    const query = { filter: `$KV.${PEELS_BUCKET}.>`, since: timeOf(since) };
    for await (const { data } of readStream(this.#store, `KV_${PEELS_BUCKET}`, query)) {
      const parsed = v.safeParse(storedSchema, parseJson(data));
      if (!parsed.success) continue; // a newer version's
      events.push((parsed.output as Stored).event);
    }
    return events;
  }

  async #tellMissing(events: readonly PeelEvent[], since: number): Promise<void> {
    if (events.length === 0) return;
    const known = new Set<string>();
    for await (const { id } of this.#audit.read({ since: timeOf(since - AUDIT_LOOKBACK_MS) })) known.add(id);
    for (const event of events) if (!known.has(event.id)) this.#audit.publish(event);
  }
}

/** As a query has it: undefined for what was before 1970, which is all. */
function timeOf(ms: number): string | undefined {
  return ms < 0 ? undefined : new Date(ms).toISOString();
}

/** No record has that id. */
export function unknownPeel(peelId: string): FleetError {
  return new FleetError('ERR_FLEET_UNKNOWN_PEEL', `unknown peel "${peelId}": see "zester peel list"`, {
    peelId,
  });
}

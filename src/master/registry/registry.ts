// The registry of peels: compare-and-set decisions on records.
import type * as v from 'valibot';
import { FleetError } from '../../errors.js';
import { applyEvent } from '../../protocol/records/apply-event.js';
import type { PeelChange, PeelEvent, RecordEvent } from '../../protocol/records/audit-event.js';
import type { Actor } from '../../protocol/records/actor.js';
import { PEEL_STATES, type PeelRecord, type PeelState } from '../../protocol/records/record.js';
import { storedRecordSchema, type StoredRecord } from '../../protocol/records/stored-record.js';
import { validatePeelId } from '../../permissions/peel-id.js';
import type { AuditLog } from '../audit/audit-log.js';
import { KvMirror, type MirrorBucket } from '../store/kv-mirror.js';
import type { MasterLogger } from '../logger.js';

/** A change of a record, and who decided it and why. */
export interface Decision {
  change: PeelChange;
  by: Actor;
  reason?: string | undefined;
  from?: string | undefined;
  /** The affected key, if the change does not name it. */
  publicKey?: string | undefined;
}

/** The part of the audit log that a registry uses. */
export type RegistryAudit = Pick<AuditLog, 'complete' | 'decided' | 'publishUnseen' | 'expect'>;

/**
 * The records of the peels, in JetStream and in memory. Each change is an event that is applied to a record by
 * compare-and-set, and is audited once.
 */
export class Registry {
  readonly #mirror: KvMirror<StoredRecord>;
  readonly #audit: RegistryAudit;
  /** Peel IDs, by public key. */
  readonly #owners = new Map<string, string>();
  /** The number of records in each state. */
  readonly #states = Object.fromEntries(PEEL_STATES.map((state) => [state, 0])) as Record<PeelState, number>;
  readonly #listeners = new Set<(record: PeelRecord, event: RecordEvent) => void>();

  private constructor(mirror: KvMirror<StoredRecord>, audit: RegistryAudit) {
    this.#mirror = mirror;
    this.#audit = audit;
    for (const [, { record }] of mirror.entries()) {
      this.#index(record);
      this.#states[record.state] += 1;
    }
    mirror.onChange((_key, stored, before) => {
      if (before !== undefined) this.#states[before.record.state] -= 1;
      if (stored === undefined) return;
      this.#states[stored.record.state] += 1;
      this.#index(stored.record);
      audit.expect(stored.event);
      for (const listener of this.#listeners) listener(stored.record, stored.event);
    });
  }

  /** Reads all records, and resolves when they are in memory. @throws FleetError `ERR_FLEET_STORE` */
  static async open(bucket: MirrorBucket, audit: RegistryAudit, logger: MasterLogger): Promise<Registry> {
    const mirror = await KvMirror.open<StoredRecord>({
      bucket,
      schema: storedRecordSchema as unknown as v.GenericSchema<unknown, StoredRecord>,
      logger,
    });
    return new Registry(mirror, audit);
  }

  /** The record in memory; another master may have just changed it. */
  get(peelId: string): PeelRecord | undefined {
    return this.#mirror.get(peelId)?.record;
  }

  /** The record in JetStream. */
  async refresh(peelId: string): Promise<PeelRecord | undefined> {
    return (await this.#mirror.refresh(peelId))?.record;
  }

  get size(): number {
    return this.#mirror.size;
  }

  /** How many peels are in each state. */
  get states(): Readonly<Record<PeelState, number>> {
    return { ...this.#states };
  }

  *records(): IterableIterator<PeelRecord> {
    for (const [, { record }] of this.#mirror.entries()) yield record;
  }

  /** The peel that has, or had, this key. */
  ownerOf(publicKey: string): string | undefined {
    return this.#owners.get(publicKey);
  }

  /** Subscribes to the changes of all masters. Returns the function that unsubscribes. */
  onChange(listener: (record: PeelRecord, event: RecordEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Decides on a peel by compare-and-set: `decide` is called again after a concurrent write, and its event is published
   * once it is in the record.
   *
   * @param decide gets the current record and returns the change; undefined: none
   * @returns the record after it, which `decide` had to create if there was none; and whether this call changed it
   * @throws what `decide` throws; PeelIdError; FleetError `ERR_FLEET_UNKNOWN_PEEL` when there is no record and `decide`
   *   creates none; `ERR_FLEET_STORE`
   */
  async decide(
    peelId: string,
    decide: (record: PeelRecord | undefined) => Decision | undefined,
  ): Promise<{ record: PeelRecord; changed: boolean }> {
    validatePeelId(peelId);
    let before: StoredRecord | undefined;
    let made: PeelEvent | undefined;
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
      made = event;
      return { ...stored, record: applyEvent(stored?.record, event), event };
    });
    if (value === undefined) throw unknownPeel(peelId);
    if (written && made !== undefined) {
      if (before !== undefined) this.#audit.publishUnseen(before.event);
      this.#audit.decided(made, before?.record, value.record);
    }
    return { record: value.record, changed: written };
  }

  close(): void {
    this.#mirror.close();
  }

  #index(record: PeelRecord): void {
    for (const { publicKey } of record.keys) this.#owners.set(publicKey, record.id);
  }
}

/** The error for an ID without a record. */
export function unknownPeel(peelId: string): FleetError {
  return new FleetError('ERR_FLEET_UNKNOWN_PEEL', `unknown peel "${peelId}": see "zester peel list"`, {
    peelId,
  });
}

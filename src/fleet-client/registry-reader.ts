// Reads the registry from JetStream without a master.
import { errorMessage } from '../text/error-message.js';
import { jetstreamManager, jetstream } from '@nats-io/jetstream';
import { Kvm, type KV } from '@nats-io/kv';
import { nuid, type NatsConnection } from '@nats-io/nats-core';
import * as v from 'valibot';
import { FleetError } from '../errors.js';
import { tokenSchema, type JoinToken } from '../protocol/records/join-token.js';
import type { AuditEvent } from '../protocol/records/audit-event.js';
import { encodeJson, parseJson } from '../protocol/messages.js';
import { recordSchema, type PeelRecord } from '../protocol/records/record.js';
import { isNoStream } from './no-stream.js';
import { AUDIT_STREAM, auditSubject, FLEET_BUCKET, PEELS_BUCKET } from '../permissions/names.js';
import { BUCKET_READ_TIMEOUT_MS, JETSTREAM_TIMEOUT_MS } from '../timing.js';

const storedSchema = v.object({ record: recordSchema });

/**
 * Reads the fleet's registry directly from JetStream, and writes to the audit log, for use when no master may be
 * running. An unparsable record is an error: an unread key must not count as absent.
 *
 * @param nc a connection of a master
 */
export class RegistryReader {
  readonly #nc: NatsConnection;

  constructor(nc: NatsConnection) {
    this.#nc = nc;
  }

  /**
   * The record of a peel; undefined: there is none, or no registry.
   *
   * @throws FleetError `ERR_FLEET_STORE`, `ERR_FLEET_RECORD`
   */
  async peel(peelId: string): Promise<PeelRecord | undefined> {
    return reading(async () => {
      const bucket = await this.#bucket(PEELS_BUCKET);
      const entry = await bucket?.get(peelId);
      if (entry === undefined || entry === null || entry.operation !== 'PUT') return undefined;
      return parsed(peelId, storedSchema, entry.value).record as PeelRecord;
    });
  }

  /** All records; none without a registry. @throws as {@link peel} */
  async peels(): Promise<PeelRecord[]> {
    const all = await this.#all(PEELS_BUCKET, storedSchema);
    return all.map(({ record }) => record as PeelRecord);
  }

  /** All join tokens. @throws as {@link peel} */
  async tokens(): Promise<JoinToken[]> {
    return this.#all(FLEET_BUCKET, tokenSchema);
  }

  /**
   * Writes an event that changes no record to the audit log.
   *
   * @returns whether there is an audit log: the first master creates it
   * @throws FleetError `ERR_FLEET_STORE` when there is one but it does not store the event
   */
  async audit(event: Omit<AuditEvent, 'id' | 'at'>): Promise<boolean> {
    return reading(async () => {
      if (!(await this.#exists(AUDIT_STREAM))) return false;
      const id = nuid.next();
      const data = encodeJson({ ...event, id, at: new Date().toISOString() });
      const js = jetstream(this.#nc, { timeout: JETSTREAM_TIMEOUT_MS });
      await js.publish(auditSubject(undefined, event.kind), data, { msgID: id });
      return true;
    });
  }

  async #all<T>(name: string, schema: v.GenericSchema<unknown, T>): Promise<T[]> {
    return reading(async () => {
      const bucket = await this.#bucket(name);
      if (bucket === undefined) return [];
      const { values, streamInfo } = await bucket.status();
      if (values === 0) return [];
      const end = streamInfo.state.last_seq;
      const found = new Map<string, T>();
      const entries = await bucket.watch();
      const timer = setTimeout(() => entries.stop(), BUCKET_READ_TIMEOUT_MS);
      let isWhole = false;
      try {
        for await (const entry of entries) {
          if (entry.operation === 'PUT') found.set(entry.key, parsed(entry.key, schema, entry.value));
          isWhole = entry.isUpdate || entry.revision >= end;
          if (isWhole) break;
        }
      } finally {
        clearTimeout(timer);
        entries.stop();
      }
      if (!isWhole)
        throw new Error(`it did not return all of its records within ${BUCKET_READ_TIMEOUT_MS / 1000} s`);
      return [...found.values()];
    });
  }

  /** undefined: no master has created it yet. */
  async #bucket(name: string): Promise<KV | undefined> {
    if (!(await this.#exists(`KV_${name}`))) return undefined;
    return new Kvm(jetstream(this.#nc, { timeout: JETSTREAM_TIMEOUT_MS })).open(name);
  }

  async #exists(stream: string): Promise<boolean> {
    const { jetstream: hasJetStream, cluster } = this.#nc.info ?? {};
    // in a cluster, another server may have it
    if (hasJetStream !== true && cluster === undefined) return false;
    const jsm = await jetstreamManager(this.#nc, { timeout: JETSTREAM_TIMEOUT_MS });
    try {
      await jsm.streams.info(stream);
      return true;
    } catch (error) {
      if (isNoStream(error)) return false;
      throw error;
    }
  }
}

function parsed<T>(key: string, schema: v.GenericSchema<unknown, T>, data: Uint8Array): T {
  const result = v.safeParse(schema, parseJson(data));
  if (result.success) return result.output;
  throw new FleetError(
    'ERR_FLEET_RECORD',
    `the record "${key}" of the registry cannot be read; a newer version may have written it`,
  );
}

async function reading<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (cause) {
    if (cause instanceof FleetError) throw cause;
    const why = errorMessage(cause);
    throw new FleetError('ERR_FLEET_STORE', `the registry cannot be read from JetStream: ${why}`, { cause });
  }
}

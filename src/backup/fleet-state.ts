// Reads and writes the state of a fleet in JetStream, in its stored form.
import type { JsMsg } from '@nats-io/jetstream';
import type { KV } from '@nats-io/kv';
import { judgeRetention } from '../account/judge-retention.js';
import { isNoStream } from '../fleet-client/no-stream.js';
import { readStream } from '../master/store/read-stream.js';
import type { Store } from '../master/store/store.js';
import { isWriteConflict } from '../master/store/write-conflict.js';
import { AUDIT_STREAM, AUDIT_SUBJECTS, bucketStream, bucketSubjects } from '../permissions/names.js';

/** The connection for reading a fleet's state. */
export type StateReader = Pick<Store, 'js' | 'jsm'>;

/**
 * The stored values of a bucket. A value that changes during the read may appear twice, the newer one last.
 *
 * @throws FleetError `ERR_FLEET_STORE`
 */
export async function* bucketValues(
  store: StateReader,
  bucket: string,
): AsyncGenerator<{ key: string; text: string; data: Uint8Array }, void, undefined> {
  const query = { filter: bucketSubjects(bucket), lastPerSubject: true };
  for await (const message of ifThere(readStream(store, bucketStream(bucket), query))) {
    const operation = message.headers?.get('KV-Operation') ?? '';
    if (operation !== '' && operation !== 'PUT') continue;
    yield {
      key: message.subject.slice(bucketSubjects(bucket).length - 1),
      text: message.string(),
      data: message.data,
    };
  }
}

/** The stored messages of the audit log, oldest first. @throws FleetError `ERR_FLEET_STORE` */
export async function* auditMessages(
  store: StateReader,
): AsyncGenerator<{ id: string; subject: string; text: string; data: Uint8Array }, void, undefined> {
  for await (const message of ifThere(readStream(store, AUDIT_STREAM, { filter: AUDIT_SUBJECTS }))) {
    const { subject, data } = message;
    yield { id: message.headers?.get('Nats-Msg-Id') ?? '', subject, text: message.string(), data };
  }
}

/** ISO 8601: the retention of the audit log has deleted earlier events; undefined: none. */
export async function auditTrimmedBefore({ jsm }: StateReader): Promise<string | undefined> {
  try {
    const { deleted, oldest } = judgeRetention(await jsm.streams.info(AUDIT_STREAM), Date.now());
    return deleted === 'age' || deleted === 'size' ? oldest : undefined;
  } catch (error) {
    if (isNoStream(error)) return undefined;
    throw error;
  }
}

/** A missing stream counts as empty: no master has run yet. */
async function* ifThere(messages: AsyncIterable<JsMsg>): AsyncGenerator<JsMsg, void, undefined> {
  try {
    yield* messages;
  } catch (error) {
    if (!isNoStream(error)) throw error;
  }
}

/**
 * Writes a value by compare-and-set: creates it, or replaces the given revision.
 *
 * @returns false after a concurrent write
 */
export async function putValue(
  bucket: KV,
  key: string,
  value: string,
  revision: number | undefined,
): Promise<boolean> {
  try {
    if (revision === undefined) await bucket.create(key, value);
    else await bucket.update(key, value, revision);
    return true;
  } catch (error) {
    if (isWriteConflict(error)) return false;
    throw error;
  }
}

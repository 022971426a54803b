// Compares a fleet's records and join tokens with its audit log.
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import { setTimeout as delay } from 'node:timers/promises';
import { auditTrimmedBefore } from '../../backup/fleet-state.js';
import type { KeyKnown } from '../../doctor/integrity/judge-users.js';
import { RecordCheck, type FleetSource } from '../../doctor/integrity/record-check.js';
import { readStream } from '../../master/store/read-stream.js';
import type { Store } from '../../master/store/store.js';
import {
  AUDIT_STREAM,
  bucketStream,
  bucketSubjects,
  FLEET_BUCKET,
  PEELS_BUCKET,
} from '../../permissions/names.js';
import type { ConnectedUser } from '../../system-account/connected-users.js';
import { INTEGRITY_RECHECK_MS, JETSTREAM_TIMEOUT_MS } from '../../timing.js';
import type { Finding } from '../../trust/finding.js';

/**
 * Compares them.
 *
 * @param users connected users
 * @returns the mismatches, and a lookup of known keys
 */
export async function checkRecords(
  nc: NatsConnection,
  progress: (text: string) => void,
  users: readonly ConnectedUser[],
): Promise<{ findings: Finding[]; keyOf: (publicKey: string) => KeyKnown }> {
  const jsm = await jetstreamManager(nc, { timeout: JETSTREAM_TIMEOUT_MS, checkAPI: false });
  const store = { js: jetstream(nc, { timeout: JETSTREAM_TIMEOUT_MS }), jsm };
  const trimmedBefore = await auditTrimmedBefore(store);
  const check = new RecordCheck(sourceOf(store), { progress, trimmedBefore });
  const keys = await check.run(users);
  return { findings: check.findings(), keyOf: (publicKey) => keys.get(publicKey) };
}

/** The fleet's streams, for the check. */
function sourceOf(store: Pick<Store, 'js' | 'jsm'>): FleetSource {
  const peels = bucketStream(PEELS_BUCKET);
  return {
    audit: (filter) => readStream(store, AUDIT_STREAM, { filter }),
    records: () => readStream(store, peels, { filter: bucketSubjects(PEELS_BUCKET) }),
    tokens: () => readStream(store, bucketStream(FLEET_BUCKET), { filter: bucketSubjects(FLEET_BUCKET) }),
    record: async (id) => {
      const last = await store.jsm.streams.getMessage(peels, { last_by_subj: `$KV.${PEELS_BUCKET}.${id}` });
      return last?.data;
    },
    settle: () => delay(INTEGRITY_RECHECK_MS),
  };
}

// The configuration of a fleet's buckets and streams.
import { DiscardPolicy, RetentionPolicy, StorageType, type StreamConfig } from '@nats-io/jetstream';
import { nanos } from '@nats-io/nats-core';
import {
  AUDIT_STREAM,
  AUDIT_SUBJECTS,
  bucketSubjects,
  CHALLENGES_BUCKET,
  FLEET_BUCKET,
  PEELS_BUCKET,
  PRESENCE_BUCKET,
  STORED_AUDIT_SUBJECTS,
} from '../../permissions/names.js';
import { STREAM_GUARDS } from '../../account/stream-guards.js';
import { AUDIT_DEDUPLICATION_MS, AUDIT_RETENTION_MS, CHALLENGE_LIFETIME_MS } from '../../timing.js';

/** Recent values to keep of each record, so that a lagging master sees every one. */
const PEEL_HISTORY = 16;

/** The configuration of a new stream. */
type NewStream = Partial<StreamConfig> & { name: string };

/**
 * The streams of a fleet, in creation order.
 *
 * @param replicas copies of each, 1 to 5
 */
export function fleetStreams(replicas: number): NewStream[] {
  const common = {
    retention: RetentionPolicy.Limits,
    storage: StorageType.File,
    num_replicas: replicas,
    ...STREAM_GUARDS,
  };
  /** A KV bucket. `Kvm.create` would always allow roll-ups. */
  const bucket = (name: string, more: Partial<StreamConfig> = {}): NewStream => ({
    ...common,
    name: `KV_${name}`,
    subjects: [bucketSubjects(name)],
    max_msgs_per_subject: 1,
    discard: DiscardPolicy.New,
    // only the leader serves reads: a lagging replica would not know a key that was just issued
    allow_direct: false,
    ...more,
  });
  return [
    {
      ...common,
      name: AUDIT_STREAM,
      subjects: [AUDIT_SUBJECTS],
      duplicate_window: nanos(AUDIT_DEDUPLICATION_MS),
      // a master is not authorized to change it; "zester audit retention" does, with the account's identity seed
      max_age: nanos(AUDIT_RETENTION_MS),
      allow_direct: true,
      // published does not mean stored
      republish: { src: AUDIT_SUBJECTS, dest: STORED_AUDIT_SUBJECTS, headers_only: true },
    },
    bucket(PEELS_BUCKET, { max_msgs_per_subject: PEEL_HISTORY }),
    bucket(FLEET_BUCKET),
    bucket(CHALLENGES_BUCKET, { max_age: nanos(CHALLENGE_LIFETIME_MS) }),
    bucket(PRESENCE_BUCKET),
  ];
}

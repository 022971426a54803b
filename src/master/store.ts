import {
  jetstream,
  JetStreamApiError,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
  type JetStreamClient,
  type JetStreamManager,
} from '@nats-io/jetstream';
import { Kvm, type KV, type KvOptions } from '@nats-io/kv';
import { errors, nanos, type NatsConnection } from '@nats-io/nats-core';
import { setTimeout as delay } from 'node:timers/promises';
import { FleetError } from '../errors.js';
import {
  AUDIT_STREAM,
  AUDIT_SUBJECTS,
  CHALLENGES_BUCKET,
  FLEET_BUCKET,
  PEELS_BUCKET,
  PRESENCE_BUCKET,
  STORED_AUDIT_SUBJECTS,
} from '../fleet/subjects.js';
import type { MasterLogger } from './logger.js';
import { words } from './words.js';

/** What masters keep in JetStream: all the state of a fleet. */
export interface Store {
  js: JetStreamClient;
  jsm: JetStreamManager;
  /** A record a peel. */
  peels: KV;
  /** Join tokens. */
  fleet: KV;
  /** What lives for minutes: challenges that were given and not answered, and leases. */
  challenges: KV;
  /** Who is connected. */
  presence: KV;
}

/** How long an event that was published again is recognised, in milliseconds. */
export const AUDIT_DUPLICATES_MS = 10 * 60_000;
/** How long a challenge may be answered, in milliseconds. */
export const CHALLENGE_MS = 5 * 60_000;
/** Events of one record that are kept beside it, so that a master that lags sees each of them. */
const PEEL_HISTORY = 16;

/** How often {@link openStore} looks why JetStream is not ready, in milliseconds. */
const WHY_MS = 5_000;

/** How {@link openStore} goes about it. */
export interface OpenStoreOptions {
  logger: MasterLogger;
  /** Copies of everything in a cluster; 3 by default, and 1 without a cluster. */
  replicas?: number | undefined;
  /** How long to wait for JetStream, in milliseconds: a cluster that starts elects its leaders first. 60,000 by default. */
  waitMs?: number | undefined;
  signal?: AbortSignal | undefined;
  /** Looks for a reason that the servers do not give themselves, such as a server that JetStream lacks. */
  whyWaiting?: (() => Promise<string | undefined>) | undefined;
}

/**
 * Opens the buckets and the stream of a fleet, and makes those that are not there.
 *
 * @throws FleetError `ERR_FLEET_STORE` when there is no JetStream
 */
export async function openStore(nc: NatsConnection, options: OpenStoreOptions): Promise<Store> {
  const deadline = Date.now() + (options.waitMs ?? 60_000);
  let told: string | undefined;
  /** What `whyWaiting` last found, and when it was last asked. */
  let reason: string | undefined;
  let askedAt = 0;
  for (let tries = 0; ; tries += 1) {
    options.signal?.throwIfAborted();
    try {
      return await open(nc, options);
    } catch (cause) {
      if (!mayPass(cause)) throw storeError(nc, cause);
      const over = Date.now() >= deadline;
      // a cluster that starts lacks members for a moment, and that is nothing to tell
      if (tries > 0 && (over || Date.now() - askedAt > WHY_MS)) {
        reason = await options.whyWaiting?.().catch(() => undefined);
        askedAt = Date.now();
      }
      if (over) throw storeError(nc, cause, reason);
      const text = reason === undefined ? words(cause) : `${words(cause)}: ${reason}`;
      if (told === undefined || (reason !== undefined && reason !== told)) {
        options.logger.warn({ reason: text }, 'JetStream is not ready yet: waiting for it');
        told = reason ?? '';
      }
      await delay(500);
    }
  }
}

async function open(nc: NatsConnection, options: OpenStoreOptions): Promise<Store> {
  const jsm = await jetstreamManager(nc, { timeout: 5_000 });
  const js = jetstream(nc, { timeout: 5_000 });
  const kvm = new Kvm(js);
  const replicas = options.replicas ?? (nc.info?.cluster === undefined ? 1 : 3);
  const bucket = (name: string, more: Partial<KvOptions> = {}) =>
    openOr(
      async () => {
        await jsm.streams.info(`KV_${name}`);
        return kvm.open(name);
      },
      () =>
        kvm.create(name, {
          history: 1,
          replicas,
          storage: StorageType.File,
          // reads are the leader's: a copy that lags would say that a key which was just issued is unknown
          allow_direct: false,
          ...more,
        }),
    );
  await openOr(
    () => jsm.streams.info(AUDIT_STREAM),
    () =>
      jsm.streams.add({
        name: AUDIT_STREAM,
        subjects: [AUDIT_SUBJECTS],
        retention: RetentionPolicy.Limits,
        storage: StorageType.File,
        num_replicas: replicas,
        duplicate_window: nanos(AUDIT_DUPLICATES_MS),
        allow_direct: true,
        // who hears an event published does not know whether it was stored
        republish: { src: AUDIT_SUBJECTS, dest: STORED_AUDIT_SUBJECTS, headers_only: true },
        // what was said stays said
        deny_delete: true,
        deny_purge: true,
      }),
  );
  return {
    js,
    jsm,
    peels: await bucket(PEELS_BUCKET, { history: PEEL_HISTORY }),
    fleet: await bucket(FLEET_BUCKET),
    challenges: await bucket(CHALLENGES_BUCKET, { ttl: CHALLENGE_MS }),
    presence: await bucket(PRESENCE_BUCKET),
  };
}

/** Opens what is there, or makes it; two masters that make it at the same time both have it then. */
async function openOr<T>(open: () => Promise<T>, make: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
  try {
    return await make();
  } catch (error) {
    // somebody else made it in between
    if (error instanceof JetStreamApiError && error.code === STREAM_NAME_IN_USE) return open();
    throw error;
  }
}

const STREAM_NAME_IN_USE = 10_058;
const STREAM_NOT_FOUND = 10_059;
const JETSTREAM_NOT_ENABLED_FOR_ACCOUNT = 10_039;

function isNotFound(error: unknown): boolean {
  return error instanceof JetStreamApiError && error.code === STREAM_NOT_FOUND;
}

/** A cluster without a leader yet, or one that is short of servers for a moment. */
function mayPass(error: unknown): boolean {
  if (error instanceof JetStreamApiError) return error.code !== JETSTREAM_NOT_ENABLED_FOR_ACCOUNT;
  return (
    error instanceof errors.TimeoutError ||
    error instanceof errors.RequestError ||
    error instanceof errors.NoRespondersError ||
    (error instanceof Error && error.name.startsWith('JetStream'))
  );
}

function storeError(nc: NatsConnection, cause: unknown, reason?: string): FleetError {
  if (reason !== undefined) {
    return new FleetError(
      'ERR_FLEET_STORE',
      `JetStream cannot place the registry (${words(cause)}): ${reason}`,
      { cause },
    );
  }
  return new FleetError(
    'ERR_FLEET_STORE',
    `${nc.getServer()} has no JetStream for this account, or it does not answer (${words(cause)}): the registry and the ` +
      'audit are kept there; enable JetStream on the servers ("zester server config" does) and for the account',
    { cause },
  );
}

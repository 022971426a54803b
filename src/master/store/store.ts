// Opens the buckets and the stream of a fleet.
import {
  jetstream,
  JetStreamApiError,
  jetstreamManager,
  type JetStreamClient,
  type JetStreamManager,
} from '@nats-io/jetstream';
import { Kvm, type KV } from '@nats-io/kv';
import { errors, type NatsConnection } from '@nats-io/nats-core';
import { setTimeout as delay } from 'node:timers/promises';
import { FleetError } from '../../errors.js';
import { CHALLENGES_BUCKET, FLEET_BUCKET, PEELS_BUCKET, PRESENCE_BUCKET } from '../../permissions/names.js';
import { allowedByStream } from '../../account/stream-guards.js';
import { fleetStreams } from './fleet-streams.js';
import type { MasterLogger } from '../logger.js';
import { DEFAULT_REPLICAS } from './replicas.js';
import { errorMessage } from '../../text/error-message.js';
import {
  JETSTREAM_TIMEOUT_MS,
  STORE_OPEN_TIMEOUT_MS,
  STORE_REASON_INTERVAL_MS,
  STORE_RETRY_MS,
} from '../../timing.js';

/** All state of a fleet in JetStream. */
export interface Store {
  js: JetStreamClient;
  jsm: JetStreamManager;
  /** One record per peel. */
  peels: KV;
  /** Join tokens. */
  fleet: KV;
  /** Values that live for minutes: open challenges, and leases. */
  challenges: KV;
  /** Last-seen times of peels. */
  presence: KV;
}

/** The options of {@link openStore}. */
export interface OpenStoreOptions {
  logger: MasterLogger;
  /** Replicas of everything; {@link DEFAULT_REPLICAS} by default. */
  replicas?: number | undefined;
  /** How long to wait for JetStream, in milliseconds: a cluster that starts elects its leaders first. 60,000 by default. */
  waitMs?: number | undefined;
  signal?: AbortSignal | undefined;
  /** Finds a reason that the servers do not report, such as a missing JetStream server. */
  whyWaiting?: (() => Promise<string | undefined>) | undefined;
}

/**
 * Opens the buckets and the stream of a fleet, and creates missing ones.
 *
 * @throws FleetError `ERR_FLEET_STORE` when there is no JetStream
 */
export async function openStore(nc: NatsConnection, options: OpenStoreOptions): Promise<Store> {
  const deadline = Date.now() + (options.waitMs ?? STORE_OPEN_TIMEOUT_MS);
  let loggedReason: string | undefined;
  /** The last result of `whyWaiting`, and the time of the last call. */
  let reason: string | undefined;
  let checkedAt = 0;
  for (let tries = 0; ; tries += 1) {
    options.signal?.throwIfAborted();
    try {
      return await open(nc, options);
    } catch (cause) {
      if (!isTransient(cause)) throw storeError(nc, cause);
      const isOver = Date.now() >= deadline;
      // a starting cluster lacks members for a moment: not worth a log line
      if (tries > 0 && (isOver || Date.now() - checkedAt > STORE_REASON_INTERVAL_MS)) {
        reason = await options.whyWaiting?.().catch(() => undefined);
        checkedAt = Date.now();
      }
      if (isOver) throw storeError(nc, cause, reason);
      const text = reason === undefined ? errorMessage(cause) : `${errorMessage(cause)}: ${reason}`;
      if (loggedReason === undefined || (reason !== undefined && reason !== loggedReason)) {
        options.logger.warn({ reason: text }, 'JetStream is not ready yet; waiting for it');
        loggedReason = reason ?? '';
      }
      await delay(STORE_RETRY_MS);
    }
  }
}

async function open(nc: NatsConnection, options: OpenStoreOptions): Promise<Store> {
  const jsm = await jetstreamManager(nc, { timeout: JETSTREAM_TIMEOUT_MS });
  const js = jetstream(nc, { timeout: JETSTREAM_TIMEOUT_MS });
  const kvm = new Kvm(js);
  const replicas =
    options.replicas ?? DEFAULT_REPLICAS[nc.info?.cluster === undefined ? 'single' : 'clustered'];
  for (const stream of fleetStreams(replicas)) {
    const { config } = await openOr(
      () => jsm.streams.info(stream.name),
      () => jsm.streams.add(stream),
    );
    const allows = allowedByStream(config);
    if (allows.length > 0) {
      options.logger.warn(
        { stream: stream.name, allows },
        'a fleet stream lacks current protections: run "zester permissions migrate"',
      );
    }
  }
  return {
    js,
    jsm,
    peels: await kvm.open(PEELS_BUCKET),
    fleet: await kvm.open(FLEET_BUCKET),
    challenges: await kvm.open(CHALLENGES_BUCKET),
    presence: await kvm.open(PRESENCE_BUCKET),
  };
}

/** Opens it, or creates it; if two masters create it concurrently, both open it. */
async function openOr<T>(open: () => Promise<T>, make: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
  try {
    return await make();
  } catch (error) {
    // created concurrently
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

/** A cluster without a leader yet, or temporarily short of servers. */
function isTransient(error: unknown): boolean {
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
      `JetStream cannot place the registry (${errorMessage(cause)}): ${reason}`,
      { cause },
    );
  }
  return new FleetError(
    'ERR_FLEET_STORE',
    `${nc.getServer()} has no JetStream for this account, or it does not answer (${errorMessage(cause)}): it stores the registry and the ` +
      'audit log; enable JetStream on the servers ("zester server config" does) and for the account',
    { cause },
  );
}

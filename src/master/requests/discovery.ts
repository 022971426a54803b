// Answers NATS service discovery (PING, INFO, STATS).
import type { Msg, NatsConnection, Subscription } from '@nats-io/nats-core';
import { FleetError } from '../../errors.js';
import { answerBelow } from '../../protocol/answer.js';
import { encodeJson } from '../../protocol/messages.js';
import { ADMIN_INBOX_PREFIX, MASTER_INBOX_PREFIX } from '../../permissions/names.js';

/** One kind of request that a service answers. */
export interface Endpoint {
  /** Letters, digits, `-` and `_`. */
  name: string;
  subject: string;
  queueGroup: string;
  /** Statistics so far. */
  stats: EndpointStats;
}

export interface EndpointStats {
  requests: number;
  errors: number;
  /** Total milliseconds of all requests. */
  tookMs: number;
}

/** A NATS service, as `nats micro ls` lists it. */
export interface DiscoverableService {
  name: string;
  id: string;
  version: string;
  description: string;
  endpoints: readonly Endpoint[];
}

/** A discovery request names no caller; the inbox prefixes limit it to admins and masters. */
const INBOXES = [ADMIN_INBOX_PREFIX, MASTER_INBOX_PREFIX];

/**
 * Answers the discovery of NATS services: `$SRV.PING`, `$SRV.INFO` and `$SRV.STATS`, for all, by name, and by ID. A
 * request does not identify the caller: it is answered only below the inboxes of admins and masters.
 *
 * Source: github.com/nats-io/nats-architecture-and-design, ADR-32.
 *
 * @param onRefused called for each request with another reply subject
 */
export function answerDiscovery(
  nc: NatsConnection,
  service: DiscoverableService,
  onRefused: (msg: Msg, error: FleetError) => void,
): Subscription[] {
  const { name, id, version, description, endpoints } = service;
  const started = new Date().toISOString();
  const common = { name, id, version, metadata: {} };
  const answers: Record<string, () => object> = {
    PING: () => ({ type: 'io.nats.micro.v1.ping_response', ...common }),
    INFO: () => ({
      type: 'io.nats.micro.v1.info_response',
      ...common,
      description,
      endpoints: endpoints.map((endpoint) => ({ ...named(endpoint), metadata: {} })),
    }),
    STATS: () => ({
      type: 'io.nats.micro.v1.stats_response',
      ...common,
      started,
      endpoints: endpoints.map((endpoint) => {
        const { requests, errors, tookMs } = endpoint.stats;
        const nanoseconds = Math.round(tookMs * 1e6);
        return {
          ...named(endpoint),
          num_requests: requests,
          num_errors: errors,
          processing_time: nanoseconds,
          average_processing_time: requests === 0 ? 0 : Math.round(nanoseconds / requests),
        };
      }),
    }),
  };
  return Object.entries(answers).flatMap(([verb, answer]) =>
    [`$SRV.${verb}`, `$SRV.${verb}.${name}`, `$SRV.${verb}.${name}.${id}`].map((subject) =>
      nc.subscribe(subject, {
        callback: (error, msg) => {
          if (error !== null) return;
          try {
            answerBelow(nc, msg, encodeJson(answer()), { inboxes: INBOXES });
          } catch (refused) {
            if (!(refused instanceof FleetError)) throw refused;
            onRefused(msg, refused);
          }
        },
      }),
    ),
  );
}

function named({ name, subject, queueGroup }: Endpoint) {
  return { name, subject, queue_group: queueGroup };
}

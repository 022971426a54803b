// Finds running masters by NATS service discovery.
import type { NatsConnection } from '@nats-io/nats-core';
import * as v from 'valibot';
import { MASTER_NAME } from '../../permissions/names.js';
import { parseJson } from '../../protocol/messages.js';
import { UI_MASTERS_WAIT_MS } from '../../timing.js';

/** A master that answered. */
export interface FoundMaster {
  id: string;
  version: string;
  /** ISO 8601: when it started. */
  started: string | null;
  requests: number;
  errors: number;
}

/** Maximum number of answers: any user of the account could answer. */
const MOST = 100;

const statsSchema = v.object({
  name: v.literal(MASTER_NAME),
  id: v.pipe(v.string(), v.maxLength(100)),
  version: v.pipe(v.string(), v.maxLength(100)),
  started: v.optional(v.pipe(v.string(), v.isoTimestamp())),
  endpoints: v.optional(v.array(v.object({ num_requests: v.number(), num_errors: v.number() })), []),
});

/**
 * The masters that answer within a second. Their answers are not signed: they are for display only.
 */
export async function findMasters(nc: NatsConnection): Promise<FoundMaster[]> {
  const found = new Map<string, FoundMaster>();
  const answers = await nc.requestMany(`$SRV.STATS.${MASTER_NAME}`, '', {
    strategy: 'timer',
    maxWait: UI_MASTERS_WAIT_MS,
  });
  try {
    for await (const { data } of answers) {
      const parsed = v.safeParse(statsSchema, parseJson(data));
      if (!parsed.success || found.size >= MOST) continue;
      const { id, version, started, endpoints } = parsed.output;
      const sum = (name: 'num_requests' | 'num_errors') =>
        endpoints.reduce((total, endpoint) => total + endpoint[name], 0);
      found.set(id, {
        id,
        version,
        started: started ?? null,
        requests: sum('num_requests'),
        errors: sum('num_errors'),
      });
    }
  } catch {
    // no master runs, or the connection is down: the result is empty
  }
  return [...found.values()].sort((one, other) => (one.id < other.id ? -1 : 1));
}

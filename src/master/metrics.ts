// The Prometheus metrics of a master.
import { isPeelConnected } from '../protocol/records/effective-presence.js';
import { PEEL_STATES } from '../protocol/records/record.js';
import type { MasterContext } from './context.js';
import { addToStats, EXPIRY_WINDOWS, emptyStats, type ExpiryWindow, type PeelStats } from './peel-stats.js';
import { Counter, Gauge, Histogram, Registry as MetricsRegistry } from 'prom-client';

/** The Prometheus metrics of a master. No label contains a peel ID: a fleet has too many. */
export class MasterMetrics {
  readonly registry = new MetricsRegistry();
  readonly requests = new Counter({
    name: 'zester_master_requests_total',
    help: 'Requests answered, by name and outcome (ok, or the code of the refusal).',
    labelNames: ['request', 'outcome'],
    registers: [this.registry],
  });
  readonly ignoredRequests = new Counter({
    name: 'zester_master_requests_ignored_total',
    help: 'Requests dropped unread because their caller was far above its rate.',
    registers: [this.registry],
  });
  readonly floods = new Counter({
    name: 'zester_master_floods_total',
    help: 'Peels, join tokens and admins seen far above their rate, by outcome (cut, reported).',
    labelNames: ['outcome'],
    registers: [this.registry],
  });
  readonly requestSeconds = new Histogram({
    name: 'zester_master_request_seconds',
    help: 'Seconds until a request was answered.',
    labelNames: ['request'],
    buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10],
    registers: [this.registry],
  });
  readonly issued = new Counter({
    name: 'zester_master_jwts_issued_total',
    help: 'JWTs issued to peels, by reason.',
    labelNames: ['why'],
    registers: [this.registry],
  });
  readonly recoveries = new Counter({
    name: 'zester_master_recoveries_total',
    help: 'Recovery requests of expired peels, by outcome (recovered, repeated, pending, not_expired, refused, cloned).',
    labelNames: ['outcome'],
    registers: [this.registry],
  });
  readonly refusedConnections = new Counter({
    name: 'zester_master_connections_refused_total',
    help: 'Connections refused and cut, by error code.',
    labelNames: ['code'],
    registers: [this.registry],
  });
  readonly peels = new Gauge({
    name: 'zester_peels',
    help: 'Peels in the registry, by state.',
    labelNames: ['state'],
    registers: [this.registry],
  });
  readonly connected = new Gauge({
    name: 'zester_peels_connected',
    help: 'Connected peels.',
    registers: [this.registry],
  });
  readonly expiring = new Gauge({
    name: 'zester_peels_expiring',
    help: 'Accepted peels whose credential expires within a time; each includes the shorter ones.',
    labelNames: ['within'],
    registers: [this.registry],
  });
  readonly expired = new Gauge({
    name: 'zester_peels_expired',
    help: 'Accepted peels whose credential has expired.',
    registers: [this.registry],
  });
  readonly overdue = new Gauge({
    name: 'zester_peels_overdue',
    help: 'Connected peels that have not renewed at nine tenths of the lifetime of their credential.',
    registers: [this.registry],
  });
  readonly earliestExpiry = new Gauge({
    name: 'zester_peels_earliest_expiry_timestamp_seconds',
    help: 'When the next credential of an accepted peel expires, in seconds since 1970; +Inf: none does.',
    registers: [this.registry],
  });
  readonly unconfirmedRevocations = new Gauge({
    name: 'zester_revocations_unconfirmed',
    help: 'Revoked keys that not every server has confirmed.',
    registers: [this.registry],
  });
  readonly storageBytes = new Gauge({
    name: 'zester_jetstream_storage_bytes',
    help: 'JetStream file storage in use, by server; only of the master that watches.',
    labelNames: ['server'],
    registers: [this.registry],
  });
  readonly storageLimitBytes = new Gauge({
    name: 'zester_jetstream_storage_limit_bytes',
    help: 'JetStream file storage that a server may use; only of the master that watches.',
    labelNames: ['server'],
    registers: [this.registry],
  });
  readonly homeExpiry = new Gauge({
    name: 'zester_master_expiry_timestamp_seconds',
    help: "When a JWT, a credential or a certificate of the master's home expires, in seconds since 1970; +Inf: never.",
    labelNames: ['of'],
    registers: [this.registry],
  });
  readonly trimmedEvents = new Counter({
    name: 'zester_audit_trimmed_events_total',
    help: 'Events that the retention of the audit log has deleted, as the watching master found them.',
    registers: [this.registry],
  });
  readonly heldRevocations = new Gauge({
    name: 'zester_master_revocations_held',
    help: 'Healthy peels whose revocation is held until "zester master resume", or until the cause is gone.',
    registers: [this.registry],
  });
  readonly watching = new Gauge({
    name: 'zester_master_watching',
    help: "1 while this master holds the lease and follows the servers' events.",
    registers: [this.registry],
  });
  readonly waitingConnections = new Gauge({
    name: 'zester_master_connections_waiting',
    help: 'Connections that wait to be judged: it grows while the master is overloaded.',
    registers: [this.registry],
  });
  readonly readingSeconds = new Gauge({
    name: 'zester_master_connections_read_seconds',
    help: 'Seconds that the last reading of all connections took.',
    registers: [this.registry],
  });
  readonly ownCredentialsExpiry = new Gauge({
    name: 'zester_master_credentials_expiry_timestamp_seconds',
    help: "When the first of the master's own credentials expires, in seconds since 1970; +Inf: none does.",
    registers: [this.registry],
  });
  readonly revocationSeconds = new Histogram({
    name: 'zester_master_revocation_seconds',
    help: 'Seconds from the decision to revoke a key until every server had confirmed it.',
    buckets: [0.05, 0.2, 1, 5, 20, 60],
    registers: [this.registry],
  });

  /** Clears the gauges that only the watching master can measure: another one reports them now. */
  endWatching(): void {
    const { watching, waitingConnections, readingSeconds, heldRevocations, storageBytes, storageLimitBytes } =
      this;
    for (const gauge of [watching, waitingConnections, readingSeconds, heldRevocations]) gauge.set(0);
    for (const gauge of [storageBytes, storageLimitBytes]) gauge.reset();
  }
}

/** Totals over all peels. One pass over the records, for each scrape and not in the background. */
function countPeels({ registry, presence, now }: PeelContext): PeelStats {
  const counts = emptyStats();
  const seconds = now() / 1000;
  for (const record of registry.records())
    addToStats(counts, record, isPeelConnected(record, presence.seen(record.id)), seconds);
  return counts;
}

/**
 * Starts counters at 0, so that an alert sees the first increase: a counter that appears with its first count shows
 * none.
 */
export function startCounters(metrics: MasterMetrics): void {
  metrics.recoveries.inc({ outcome: 'cloned' }, 0);
  for (const outcome of ['cut', 'reported']) metrics.floods.inc({ outcome }, 0);
}

/** The inputs of the metrics that count peels. */
type PeelContext = Pick<MasterContext, 'registry' | 'presence' | 'tally' | 'now'>;

/** Reads of metrics within this time, in milliseconds, share one count. */
const COUNT_KEPT_MS = 1_000;

/** Computes the metrics that count peels whenever they are read. */
export function measurePeels(context: PeelContext & Pick<MasterContext, 'metrics'>): void {
  const { metrics } = context;
  const { peels, connected, expiring, expired, overdue, earliestExpiry, unconfirmedRevocations } = metrics;
  let countedAt = -Infinity;
  const measure = () => {
    if (performance.now() - countedAt < COUNT_KEPT_MS) return;
    const counts = countPeels(context);
    countedAt = performance.now();
    const { states } = context.registry;
    for (const state of PEEL_STATES) peels.set({ state }, states[state]);
    connected.set(context.tally.connected);
    for (const window of Object.keys(EXPIRY_WINDOWS) as ExpiryWindow[])
      expiring.set({ within: window }, counts.expiring[window]);
    expired.set(counts.expired);
    overdue.set(counts.overdue);
    earliestExpiry.set(counts.earliestExpiry);
    unconfirmedRevocations.set(counts.unconfirmed);
  };
  for (const gauge of [peels, connected, expiring, expired, overdue, earliestExpiry, unconfirmedRevocations])
    collectWith(gauge, measure);
}

/** The types of prom-client have `collect` as an option only, and the metrics are made before their context. */
function collectWith(gauge: object, collect: () => void): void {
  (gauge as { collect?: () => void }).collect = collect;
}

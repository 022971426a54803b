// Computes the page's summary of a fleet.
import type { ListedPeel } from '../../protocol/messages.js';
import { currentKey, isAccepted, PEEL_STATES, type PeelState } from '../../protocol/records/record.js';

/** The fleet in numbers. */
export interface FleetCounts {
  peels: number;
  states: Record<PeelState, number>;
  connected: number;
  /** Accepted, but not connected. */
  notConnected: number;
  expired: number;
  expiringIn1h: number;
  expiringIn24h: number;
  neverExpire: number;
  /** Peels with an unconfirmed revocation. */
  revoking: number;
  /** Connections of peels by the server's name, the most first. */
  servers: { name: string; connections: number }[];
}

/** @param now milliseconds since 1970 */
export function summarize(peels: Iterable<ListedPeel>, now: number): FleetCounts {
  const states = Object.fromEntries(PEEL_STATES.map((state) => [state, 0])) as Record<PeelState, number>;
  const counts = {
    peels: 0,
    connected: 0,
    notConnected: 0,
    expired: 0,
    expiringIn1h: 0,
    expiringIn24h: 0,
    neverExpire: 0,
    revoking: 0,
  };
  const servers = new Map<string, number>();
  for (const { record, presence } of peels) {
    counts.peels += 1;
    states[record.state] += 1;
    const connections = presence?.connections ?? [];
    if (connections.length > 0) counts.connected += 1;
    for (const { server, serverName = server } of connections)
      servers.set(serverName, (servers.get(serverName) ?? 0) + 1);
    if (record.keys.some(({ state }) => state === 'revoking')) counts.revoking += 1;
    if (!isAccepted(record)) continue;
    if (connections.length === 0) counts.notConnected += 1;
    const key = currentKey(record);
    if (key?.issuedAt === undefined) continue;
    if (key.expiresAt === undefined) counts.neverExpire += 1;
    else {
      const band = bandOf(key.expiresAt * 1000 - now);
      if (band !== undefined) counts[band] += 1;
    }
  }
  return { ...counts, states: { ...states }, servers: byNumber(servers) };
}

/** @returns undefined if it is later */
function bandOf(ms: number): 'expired' | 'expiringIn1h' | 'expiringIn24h' | undefined {
  if (ms <= 0) return 'expired';
  if (ms <= 3_600_000) return 'expiringIn1h';
  return ms <= 86_400_000 ? 'expiringIn24h' : undefined;
}

function byNumber(servers: ReadonlyMap<string, number>): { name: string; connections: number }[] {
  return [...servers]
    .map(([name, connections]) => ({ name, connections }))
    .sort((one, other) => other.connections - one.connections || (one.name < other.name ? -1 : 1));
}

/** The bars of the chart of expiry. */
const BARS = 24;

/**
 * A histogram of the expiry of accepted peels' credentials, without renewals: 24 bars of equal width up to the last
 * expiry, each with its start in milliseconds since 1970 and its count.
 *
 * @param now milliseconds since 1970
 */
export function expiryBars(peels: Iterable<ListedPeel>, now: number): [start: number, count: number][] {
  const times: number[] = [];
  for (const { record } of peels) {
    const expiresAt = isAccepted(record) ? currentKey(record)?.expiresAt : undefined;
    if (expiresAt !== undefined && expiresAt * 1000 > now) times.push(expiresAt * 1000);
  }
  if (times.length === 0) return [];
  const last = times.reduce((latest, time) => Math.max(latest, time), now);
  const width = Math.max(1, Math.ceil((last - now + 1) / BARS));
  const bars = Array.from({ length: BARS }, (_, i): [number, number] => [now + i * width, 0]);
  for (const time of times) {
    const bar = bars[Math.floor((time - now) / width)];
    if (bar !== undefined) bar[1] += 1;
  }
  return bars;
}

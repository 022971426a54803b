// Measures floods, and decides which callers exceed the limits.

/** The limits of a service's excess per window. Only the excess over the rate counts; exceeding one limit is enough. */
export interface FloodLimits {
  /** Requests over the rate in a window. */
  requests: number;
  /** Bytes of their payloads. */
  bytes: number;
}

/** The excess over the rate in a window. */
export interface Excess {
  requests: number;
  bytes: number;
}

/** Whether an excess is far over the rate. */
export function isHot({ requests, bytes }: Excess, limits: FloodLimits): boolean {
  return requests >= limits.requests || bytes >= limits.bytes;
}

/** A caller that stays far over its rate, and its excess in the last window. */
export interface Flooder extends Excess {
  caller: string;
}

/** Windows over the limit that make a flood; a window below the limit subtracts one. */
const HOT_WINDOWS = 3;
/** Silent windows until a flooding caller is forgotten. */
const MAX_HEAT = 6;
/** The maximum number of tracked callers. Requests of further ones are dropped, but not counted. */
const MAX_CALLERS = 1_000;

interface Heat extends Excess {
  heat: number;
}

/**
 * Finds callers that stay far over their rate. It takes more than one hot window, since a thousand hosts may start at
 * once; silent windows do not clear it, since a flood breaks connections. Counts the excess over the rate. Call `endWindow` at
 * the end of each window.
 */
export class FloodMeter {
  readonly #limits: FloodLimits;
  readonly #callers = new Map<string, Heat>();

  constructor(limits: FloodLimits) {
    this.#limits = limits;
  }

  /** Counts a request over the rate. */
  note(caller: string, bytes: number): void {
    const known = this.#callers.get(caller);
    if (known !== undefined) {
      known.requests += 1;
      known.bytes += bytes;
    } else if (this.#callers.size < MAX_CALLERS) {
      this.#callers.set(caller, { requests: 1, bytes, heat: 0 });
    }
  }

  /** Ends a window. @returns the flooding callers, most requests first */
  endWindow(): Flooder[] {
    const flooders: Flooder[] = [];
    for (const [caller, count] of this.#callers) {
      const { requests, bytes } = count;
      const hot = isHot(count, this.#limits);
      count.heat = hot ? Math.min(count.heat + 1, MAX_HEAT) : count.heat - 1;
      count.requests = 0;
      count.bytes = 0;
      if (count.heat <= 0) this.#callers.delete(caller);
      else if (hot && count.heat >= HOT_WINDOWS) flooders.push({ caller, requests, bytes });
    }
    return flooders.sort((a, b) => b.requests - a.requests);
  }
}

/** The messages and bytes that a connection has sent since its start. */
export interface Sent {
  server: string;
  cid: number;
  sent: { messages: number; bytes: number };
}

/** A snapshot of connections, and the servers that answered. */
export interface Snapshot<S extends Sent> {
  servers: ReadonlySet<string>;
  users: readonly S[];
}

/**
 * The connections of one user that sent far too much between two snapshots, by the servers' own counters, which other
 * users cannot raise. The limit is divided among connections that share a flood.
 *
 * @param seconds between the snapshots
 */
export function heavySenders<S extends Sent>(
  before: Snapshot<Sent>,
  after: Snapshot<S>,
  seconds: number,
  { requests, bytes }: FloodLimits,
): S[] {
  const known = new Map(before.users.map(({ server, cid, sent }) => [`${server}/${cid}`, sent]));
  const share = seconds / Math.max(1, after.users.length);
  return after.users.filter(({ server, cid, sent }) => {
    // a new connection has sent everything since the first snapshot; skip servers that did not answer it
    const fresh = before.servers.has(server) ? { messages: 0, bytes: 0 } : undefined;
    const then = known.get(`${server}/${cid}`) ?? fresh;
    if (then === undefined) return false;
    return sent.messages - then.messages >= requests * share || sent.bytes - then.bytes >= bytes * share;
  });
}

// Measures floods, and decides who is over the limits.

/** What is far over the rate of a service, in a window: what is over the rate counts, and one of the two is enough. */
export interface FloodLimits {
  /** Requests over the rate in a window. */
  requests: number;
  /** Bytes of their payloads. */
  bytes: number;
}

/** What came over the rate in a window. */
export interface Excess {
  requests: number;
  bytes: number;
}

/** Whether an excess is far over the rate. */
export function isHot({ requests, bytes }: Excess, limits: FloodLimits): boolean {
  return requests >= limits.requests || bytes >= limits.bytes;
}

/** Somebody who stays far over its rate, and the excess of the last window. */
export interface Flooder extends Excess {
  asker: string;
}

/** Windows over the limit that make a flood; a window below the limit subtracts one. */
const HOT_WINDOWS = 3;
/** How many silent windows it takes until a flooding caller is forgotten. */
const MAX_HEAT = 6;
/** Askers that are kept in number. Requests of more at once are counted by nobody: they are dropped all the same. */
const MAX_ASKERS = 1_000;

interface Heat extends Excess {
  heat: number;
}

/**
 * Says who stays far over its rate: more than one hot window, since a thousand hosts may start at once, and silent windows
 * do not clear it, since a flood breaks connections. It counts what was over the rate, in windows that the caller ends.
 */
export class FloodMeter {
  readonly #limits: FloodLimits;
  readonly #askers = new Map<string, Heat>();

  constructor(limits: FloodLimits) {
    this.#limits = limits;
  }

  /** Counts a request over the rate. */
  note(asker: string, bytes: number): void {
    const known = this.#askers.get(asker);
    if (known !== undefined) {
      known.requests += 1;
      known.bytes += bytes;
    } else if (this.#askers.size < MAX_ASKERS) {
      this.#askers.set(asker, { requests: 1, bytes, heat: 0 });
    }
  }

  /** Ends a window. @returns the flooding callers, most requests first */
  turn(): Flooder[] {
    const flooders: Flooder[] = [];
    for (const [asker, count] of this.#askers) {
      const { requests, bytes } = count;
      const hot = isHot(count, this.#limits);
      count.heat = hot ? Math.min(count.heat + 1, MAX_HEAT) : count.heat - 1;
      count.requests = 0;
      count.bytes = 0;
      if (count.heat <= 0) this.#askers.delete(asker);
      else if (hot && count.heat >= HOT_WINDOWS) flooders.push({ asker, requests, bytes });
    }
    return flooders.sort((a, b) => b.requests - a.requests);
  }
}

/** How many messages and bytes a connection has sent since it began. */
export interface Sent {
  server: string;
  cid: number;
  sent: { messages: number; bytes: number };
}

/** A look at connections, and the servers that answered. */
export interface Look<S extends Sent> {
  servers: ReadonlySet<string>;
  users: readonly S[];
}

/**
 * The connections of one user that sent far too much between two looks, by their servers' own counts: nobody can make those
 * of another rise. Many connections that share a flood have a part of it each.
 *
 * @param seconds between the looks
 */
export function whoSends<S extends Sent>(
  before: Look<Sent>,
  after: Look<S>,
  seconds: number,
  { requests, bytes }: FloodLimits,
): S[] {
  const known = new Map(before.users.map(({ server, cid, sent }) => [`${server}/${cid}`, sent]));
  const share = seconds / Math.max(1, after.users.length);
  return after.users.filter(({ server, cid, sent }) => {
    // a new connection has sent all of it since; of a server that did not answer, nothing is known
    const fresh = before.servers.has(server) ? { messages: 0, bytes: 0 } : undefined;
    const then = known.get(`${server}/${cid}`) ?? fresh;
    if (then === undefined) return false;
    return sent.messages - then.messages >= requests * share || sent.bytes - then.bytes >= bytes * share;
  });
}

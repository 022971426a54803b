// Decides how many servers and generator processes a storm needs, and whether the limit on open files allows it.

/** Files that a server needs besides its clients: JetStream, routes, logs. */
const SERVER_FILES = 1_000;
/** With one server, two generators: one process alone may be slower than the server. */
const MIN_GENERATORS = 2;

export interface StormPlan {
  /** 1, or a cluster of 3. */
  servers: number;
  /** The connections of each generator; generator i connects to server i modulo `servers`. */
  shares: number[];
}

/**
 * @param openFiles the most files that a process may have open
 * @param servers how many servers there have to be; what the peels need by default
 * @returns what is wrong, in words, when the limit does not suffice
 */
export function planStorm(peels: number, openFiles: number, servers?: number): StormPlan | string {
  const perServer = openFiles - SERVER_FILES;
  const count = servers ?? (peels <= perServer ? 1 : 3);
  if (peels > perServer * count) {
    return (
      `${peels} peels do not fit: a process may have ${openFiles} files open here ("ulimit -Hn"), so ` +
      `${count === 1 ? 'one server takes' : `${count} servers take`} at most ${Math.max(0, perServer * count)} connections; raise the limit or ask for fewer`
    );
  }
  const generators = Math.max(count, MIN_GENERATORS);
  const share = Math.floor(peels / generators);
  return {
    servers: count,
    shares: Array.from({ length: generators }, (_, i) => share + (i < peels % generators ? 1 : 0)),
  };
}

/** How long a wave may take before it is reported as failed, in milliseconds. */
export function waveLimitMs(peels: number, serversAloneMs?: number): number {
  return Math.max(60_000 + 5 * peels, 10 * (serversAloneMs ?? 0));
}

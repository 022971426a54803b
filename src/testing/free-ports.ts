// Finds free ports for the servers of a test.
import { createServer } from 'node:net';

const [FIRST_PORT, LAST_PORT, SLICES] = [12_000, 32_000, 40] as const;
const SLICE_SIZE = (LAST_PORT - FIRST_PORT) / SLICES;

/**
 * The first of this process's ports. A stopped server's port looks free, but its clients and its cluster still dial it,
 * and would mistake another test's server there for it. So parallel processes take ports from different slices, and a
 * process reuses a port only after all others of its slice.
 */
const SLICE =
  FIRST_PORT + SLICE_SIZE * ((process.ppid + Number(process.env['VITEST_POOL_ID'] ?? process.pid)) % SLICES);
let next = Math.floor(Math.random() * SLICE_SIZE);

/**
 * A port that is free now, below the range for outgoing connections: a client that keeps trying to reach a stopped
 * server on a port in that range may connect to itself, and occupy the port.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = SLICE + (next++ % SLICE_SIZE);
    if (await isFree(port)) return port;
  }
}

/** Returns this many different ports. */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) ports.add(await freePort());
  return [...ports];
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}

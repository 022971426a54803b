// Picks the more telling of two connection errors.
import { connectFailure, type ConnectFailure } from './connect-failure.js';

/** An answer is more telling than no answer, and a local mistake more than an outage. */
const TELLING: readonly ConnectFailure['kind'][] = ['unreachable', 'certificate', 'no-tls', 'refused'];

/**
 * Chooses which of two errors from a list of servers to report: a dead server must not hide that another one offers
 * no TLS. If both tell as much, the later one wins.
 */
export function moreTelling(earlier: unknown, later: unknown): unknown {
  return rank(later) >= rank(earlier) ? later : earlier;
}

function rank(error: unknown): number {
  return error === undefined ? -1 : TELLING.indexOf(connectFailure(error, 0).kind);
}

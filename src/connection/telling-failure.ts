// Picks the more telling of two connection errors.
import { connectFailure, type ConnectFailure } from './connect-failure.js';

/** A server that answered says more than one that did not, and what must be put right here more than an outage. */
const TELLING: readonly ConnectFailure['kind'][] = ['unreachable', 'certificate', 'no-tls', 'refused'];

/**
 * Which of two errors of a list of servers to report: a dead server must not hide that another one offers no TLS. Of two
 * that tell as much, it is the later one.
 */
export function moreTelling(earlier: unknown, later: unknown): unknown {
  return rank(later) >= rank(earlier) ? later : earlier;
}

function rank(error: unknown): number {
  return error === undefined ? -1 : TELLING.indexOf(connectFailure(error, 0).kind);
}

// Picks the more specific of two connection errors.
import { connectFailure, type ConnectFailure } from './connect-failure.js';

/** An answer is more specific than no answer, and a local mistake more than an outage. */
const KINDS: readonly ConnectFailure['kind'][] = ['unreachable', 'certificate', 'no-tls', 'refused'];

/**
 * Chooses which of two errors from a list of servers to report: a dead server must not hide that another one does not
 * offer TLS. If both are equally specific, the later one wins.
 */
export function moreSpecific(earlier: unknown, later: unknown): unknown {
  return rank(later) >= rank(earlier) ? later : earlier;
}

function rank(error: unknown): number {
  return error === undefined ? -1 : KINDS.indexOf(connectFailure(error, 0).kind);
}

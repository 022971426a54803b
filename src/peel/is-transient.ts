// Decides whether to retry a request to a master.
import { errorTraits } from '../error-traits.js';
import { ConnectError, FleetError } from '../errors.js';

/** Client errors of a connection that is temporarily down. */
const CLIENT_ERRORS: ReadonlySet<string> = new Set(['ConnectionError', 'RequestError', 'TimeoutError']);

/** Whether the same request may succeed a moment later. */
export function isTransient(error: unknown): boolean {
  if (error instanceof FleetError) return !error.final && errorTraits(error.code)?.retryable === true;
  if (error instanceof ConnectError) return error.code === 'ERR_CONNECT_UNREACHABLE';
  return error instanceof Error && CLIENT_ERRORS.has(error.name);
}

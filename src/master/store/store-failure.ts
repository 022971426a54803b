// Turns JetStream failures into typed errors.
import { JetStreamApiError } from '@nats-io/jetstream';
import { errors } from '@nats-io/nats-core';
import { FleetError } from '../../errors.js';
import { errorMessage } from '../../text/error-message.js';

/**
 * The servers' errors when there is no room for a message: limits of the account, the server and the stream.
 *
 * Source: github.com/nats-io/nats-server, server/errors.json: JSAccountResourcesExceededErr,
 * JSInsufficientResourcesErr, JSMemoryResourcesExceededErr, JSStorageResourcesExceededErr; JSStreamStoreFailedF passes
 * on the store's error.
 */
const FULL_CODES: ReadonlySet<number> = new Set([10_002, 10_023, 10_028, 10_047]);
const STORE_FAILED = 10_077;
const FULL_PATTERN = /maximum (?:bytes|messages)|no space left|disk quota|resource/i;

/** Whether JetStream's storage is full. Waiting does not help: an operator must free space. */
export function isStorageFull(error: unknown): boolean {
  for (let at = error, depth = 0; at instanceof Error && depth < 8; at = at.cause, depth += 1) {
    if (!(at instanceof JetStreamApiError)) continue;
    if (FULL_CODES.has(at.code) || (at.code === STORE_FAILED && FULL_PATTERN.test(at.message))) return true;
  }
  return false;
}

/** The error of a request that failed because of JetStream; undefined: another reason. */
export function storeFailureOf(cause: unknown): FleetError | undefined {
  if (isStorageFull(cause)) {
    return new FleetError(
      'ERR_FLEET_STORE',
      `JetStream's storage is full (${reasonOf(cause)}), so nothing was stored: free space, or raise the limits of the ` +
        'servers or the account; then try again',
      { cause },
    );
  }
  if (cause instanceof FleetError) return cause.code === 'ERR_FLEET_STORE' ? cause : undefined;
  // a leader election, a server that is briefly missing, or a stopping master
  const isStoreFailure =
    // compared by name, since JetStreamNotEnabled is not exported. It means that no server answers for a stream, for
    // example while it has no leader
    (cause instanceof Error && cause.name.startsWith('JetStream')) ||
    cause instanceof errors.TimeoutError ||
    cause instanceof errors.RequestError ||
    cause instanceof errors.NoRespondersError ||
    cause instanceof errors.ClosedConnectionError ||
    cause instanceof errors.DrainingConnectionError;
  if (!isStoreFailure) return undefined;
  return new FleetError('ERR_FLEET_STORE', 'JetStream does not answer: try again', { cause });
}

/** The server's own message, from the error or its cause. */
function reasonOf(error: unknown): string {
  for (let at = error; at instanceof Error; at = at.cause)
    if (at instanceof JetStreamApiError) return at.message;
  return errorMessage(error);
}

// Recognizes permission violations and missing responders.
import { errors, type PermissionViolationError } from '@nats-io/nats-core';

/** The permission violation that failed a request: of the publish, or (as the cause) of the inbox for the answer. */
export function permissionViolationOf(error: unknown): PermissionViolationError | undefined {
  if (error instanceof errors.PermissionViolationError) return error;
  return error instanceof errors.RequestError && error.cause instanceof errors.PermissionViolationError
    ? error.cause
    : undefined;
}

/** Whether a request failed because nobody subscribes to its subject. */
export function isNoResponders(error: unknown): boolean {
  return (
    error instanceof errors.NoRespondersError ||
    (error instanceof errors.RequestError && error.isNoResponders())
  );
}

// Saves the error that the client creates for each answered request.
import { RequestOne } from '@nats-io/nats-core/internal';
import { errors } from '@nats-io/transport-node';

/** Nobody sees it: the request already has its answer, or its error. */
const CANCELLED = new errors.RequestError('cancelled');

function cancel(this: RequestOne, error: Error = CANCELLED): void {
  RequestOne.prototype.cancel.call(this, error);
}

/**
 * Makes a request share one error with all others for its end. The client cancels each request once it has an answer, and
 * creates an error with a stack for that, which was a sixteenth of a busy master's time.
 */
export function shareCancelError(request: object): void {
  if (request instanceof RequestOne) request.cancel = cancel;
}

// The error for options that cannot reach a server.
import { NatsServerError } from '../errors.js';

/** The error for options that cannot reach a server. */
export function serverOptionsError(message: string): NatsServerError {
  return new NatsServerError('ERR_NATS_SERVER_OPTIONS', message);
}

// The error for invalid options of functions that connect to servers.
import { NatsServerError } from '../errors.js';

/** Returns the error for invalid options of functions that connect to servers. */
export function serverOptionsError(message: string): NatsServerError {
  return new NatsServerError('ERR_NATS_SERVER_OPTIONS', message);
}

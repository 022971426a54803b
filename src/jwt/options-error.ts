// The error for invalid JWT options.
import { JwtError } from '../errors.js';

/** The error for invalid JWT options. */
export function jwtOptionsError(message: string): JwtError {
  return new JwtError('ERR_JWT_OPTIONS', message);
}

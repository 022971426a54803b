// The error of options of zester/testing.
import { FleetError } from '../errors.js';

export function testOptionsError(message: string): FleetError {
  return new FleetError('ERR_FLEET_CONFIG', message);
}

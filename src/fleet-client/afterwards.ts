// Tells that something was done, but not audited.
import { FleetError } from '../errors.js';
import { errorMessage } from '../text/error-message.js';

/**
 * Writes into the audit log what was done already. A failure to write must not read as a failure to do it.
 *
 * @param what what was done, such as `zester keys remove`
 * @throws FleetError `ERR_FLEET_STORE`
 */
export async function afterwards<T>(what: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (cause) {
    throw new FleetError(
      'ERR_FLEET_STORE',
      `"${what}" is done, but it could not be written into the audit log: ${errorMessage(cause)}`,
      { cause },
    );
  }
}

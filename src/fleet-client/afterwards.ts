// Reports an action that succeeded but could not be audited.
import { FleetError } from '../errors.js';
import { errorMessage } from '../text/error-message.js';

/**
 * Audits an action that is already done. A failure to audit must not read as a failure of the action.
 *
 * @param what the action, such as `zester keys remove`
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

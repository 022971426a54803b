// The permissions of a master's system user.
import type { ConnectionType, PermissionOptions } from '../jwt/permission-options.js';

/** The role of the signing keys of the system account that sign masters' system users. */
export const SYSTEM_ROLE = 'zester-system';

/** How the system user of a master may connect. */
export const SYSTEM_CONNECTION_TYPES: readonly ConnectionType[] = ['STANDARD', 'WEBSOCKET'];

/**
 * The permissions of a master's system user: query the servers, push account JWTs, close connections, and receive
 * server events.
 */
export function systemPermissions(): PermissionOptions {
  return { publish: { allow: ['$SYS.REQ.>'] }, subscribe: { allow: ['$SYS.>', '_INBOX.>'] } };
}

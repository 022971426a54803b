// The permissions of a master's system user.
import type { ConnectionType, PermissionOptions } from '../jwt/permission-options.js';

/** The role of the system account's signing keys for masters' system users. */
export const SYSTEM_ROLE = 'zester-system';

/** The connection types of a master's system user. */
export const SYSTEM_CONNECTION_TYPES: readonly ConnectionType[] = ['STANDARD', 'WEBSOCKET'];

/**
 * The permissions of a master's system user: query the servers, push account JWTs, close connections, and receive
 * server events.
 */
export function systemPermissions(): PermissionOptions {
  return { publish: { allow: ['$SYS.REQ.>'] }, subscribe: { allow: ['$SYS.>', '_INBOX.>'] } };
}

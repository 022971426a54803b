// Checks the INFO line of a server before the client reads it.
import { UNEXPECTED_RESPONSE } from './connect-failure.js';

/**
 * The longest line that a server may send, in bytes. INFO is the longest: it lists the servers of the cluster, which
 * takes 30 KB for a thousand servers.
 */
export const MAX_LINE_BYTES = 256 * 1024;

/** The fields that the client reads from an INFO line, and their types. */
const TYPES: Readonly<Record<string, 'string' | 'number' | 'boolean'>> = {
  server_id: 'string',
  server_name: 'string',
  cluster: 'string',
  domain: 'string',
  client_ip: 'string',
  nonce: 'string',
  client_id: 'number',
  max_payload: 'number',
  proto: 'number',
  auth_required: 'boolean',
  headers: 'boolean',
  jetstream: 'boolean',
  ldm: 'boolean',
  tls_available: 'boolean',
  tls_required: 'boolean',
  tls_verify: 'boolean',
};

/**
 * Parses the JSON of an INFO line. The client does not validate it, and permanently stops reading at a value of another
 * type.
 *
 * @throws Error with the client's own message for a peer that is not a server
 */
export function readServerInfo(json: string): Record<string, unknown> {
  let info: unknown;
  try {
    info = JSON.parse(json);
  } catch (cause) {
    throw new Error(UNEXPECTED_RESPONSE, { cause });
  }
  if (!isServerInfo(info)) throw new Error(UNEXPECTED_RESPONSE);
  return info;
}

function isServerInfo(info: unknown): info is Record<string, unknown> {
  if (typeof info !== 'object' || info === null || Array.isArray(info)) return false;
  const { version, connect_urls: announced = [] } = info as Record<string, unknown>;
  const hasTypes = Object.entries(TYPES).every(([name, type]) => {
    const value = (info as Record<string, unknown>)[name];
    return value === undefined || typeof value === type;
  });
  return (
    hasTypes &&
    typeof version === 'string' &&
    /\d+\.\d+\.\d+/.test(version) &&
    Array.isArray(announced) &&
    announced.every((url) => typeof url === 'string')
  );
}

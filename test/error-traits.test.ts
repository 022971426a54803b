import { describe, expect, it } from 'vitest';
import { errorTraits } from '../src/error-traits.js';
import type { ErrorCode } from '../src/errors.js';

/**
 * The traits of each code, a second time: a new one copies its neighbour's too easily, and then a peel retries what cannot
 * succeed, or a script takes a refusal for a failure. The exit code and the HTTP status; `retry`: a retry may succeed
 * with nothing changed; `audited` and `unaudited`: whoever sent the refused request.
 */
const TRAITS: Readonly<Record<ErrorCode, string>> = {
  ERR_FILE_NOT_FOUND: '1 404',
  ERR_FILE_IS_DIRECTORY: '1 500',
  ERR_FILE_READ: '1 500',
  ERR_FILE_WRITE: '1 500',
  ERR_FILE_NOT_REGULAR: '1 500',
  ERR_FILE_EXISTS: '1 409',
  ERR_FILE_DIRECTORY_NOT_FOUND: '1 500',
  ERR_FILE_IN_USE: '1 409 retry',
  ERR_KEY_ENCODING: '1 500',
  ERR_KEY_CHECKSUM: '1 500',
  ERR_KEY_ROLE: '1 500',
  ERR_KEY_NOT_A_SEED: '1 500',
  ERR_KEY_IS_A_SEED: '1 500',
  ERR_KEY_WIPED: '1 500',
  ERR_KEY_FILE: '1 500',
  ERR_KEY_OPTIONS: '1 400',
  ERR_KEY_BACKEND: '1 500',
  ERR_JWT_FORMAT: '1 400',
  ERR_JWT_ALGORITHM: '3 403',
  ERR_JWT_VERSION: '1 400',
  ERR_JWT_SIGNATURE: '3 403',
  ERR_JWT_TYPE: '1 400',
  ERR_JWT_CLAIMS: '1 400',
  ERR_JWT_ISSUER: '1 400',
  ERR_JWT_TOO_LARGE: '1 400',
  ERR_JWT_OPTIONS: '1 400',
  ERR_CHAIN_OPERATOR_ISSUER: '3 403',
  ERR_CHAIN_OPERATOR_EXPIRED: '3 403',
  ERR_CHAIN_OPERATOR_NOT_YET_VALID: '3 403',
  ERR_CHAIN_OPERATOR_INVALID: '3 403',
  ERR_CHAIN_ACCOUNT_ISSUER: '3 403',
  ERR_CHAIN_ACCOUNT_ISSUER_STRICT: '3 403',
  ERR_CHAIN_ACCOUNT_EXPIRED: '3 403',
  ERR_CHAIN_ACCOUNT_NOT_YET_VALID: '3 403',
  ERR_CHAIN_ACCOUNT_INVALID: '3 403',
  ERR_CHAIN_USER_ISSUER: '3 403',
  ERR_CHAIN_USER_ISSUER_ACCOUNT: '3 403',
  ERR_CHAIN_USER_ISSUER_STRICT: '3 403',
  ERR_CHAIN_USER_SCOPED: '3 403',
  ERR_CHAIN_USER_BEARER: '3 403',
  ERR_CHAIN_USER_EXPIRED: '3 403',
  ERR_CHAIN_USER_NOT_YET_VALID: '3 403',
  ERR_CHAIN_USER_REVOKED: '3 403',
  ERR_CHAIN_USER_INVALID: '3 403',
  ERR_PEEL_ID: '2 400',
  ERR_SUBJECT: '1 400',
  ERR_CREDS_NO_JWT: '1 400',
  ERR_CREDS_NO_SEED: '1 400',
  ERR_CREDS_DUPLICATE_JWT: '1 400',
  ERR_CREDS_DUPLICATE_SEED: '1 400',
  ERR_CREDS_FORMAT: '1 400',
  ERR_CREDS_SEED_ROLE: '1 400',
  ERR_CREDS_SEED_CHECKSUM: '1 400',
  ERR_CREDS_SEED_FORMAT: '1 400',
  ERR_CREDS_JWT_FORMAT: '1 400',
  ERR_CREDS_JWT_TYPE: '1 400',
  ERR_CREDS_JWT_SIGNATURE: '3 403',
  ERR_CREDS_SEED_MISMATCH: '3 403',
  ERR_CREDS_TOO_LARGE: '1 400',
  ERR_CREDS_EXPIRED: '3 403',
  ERR_CREDS_NOT_YET_VALID: '3 403 retry',
  ERR_CREDS_OTHER_PEEL: '3 403',
  ERR_CREDS_INPUT: '1 400',
  ERR_CREDS_WIPED: '1 400',
  ERR_CREDS_NOT_FOUND: '1 404',
  ERR_CREDS_PROVIDER: '1 503 retry',
  ERR_CREDS_NO_STORE: '1 400',
  ERR_CONNECT_UNREACHABLE: '4 503 retry',
  ERR_CONNECT_URL: '1 400',
  ERR_CONNECT_NO_SERVERS: '1 400',
  ERR_CONNECT_NO_TLS: '3 500',
  ERR_CONNECT_CERTIFICATE: '3 500',
  ERR_CONNECT_TLS_FILE: '1 500',
  ERR_CONNECT_PLAIN: '3 500',
  ERR_CONNECT_REFUSED: '3 403',
  ERR_CONNECT_OPTIONS: '1 400',
  ERR_RECONNECT_BUFFER_EXCEEDED: '1 500 retry',
  ERR_UNDELIVERED: '1 500 retry',
  ERR_TRUST_NOT_FOUND: '1 404',
  ERR_TRUST_INCOMPLETE: '1 500',
  ERR_TRUST_DAMAGED: '1 500',
  ERR_TRUST_HOME: '1 500',
  ERR_TRUST_HOME_EXPOSED: '1 500',
  ERR_TRUST_SECRET_EXPOSED: '1 500',
  ERR_TRUST_SETTINGS: '1 500',
  ERR_TRUST_VERSION: '1 500',
  ERR_TRUST_NAMES: '1 500',
  ERR_TRUST_KEY_OFFLINE: '1 500',
  ERR_TRUST_KEY_MISMATCH: '1 500',
  ERR_TRUST_ADOPT: '1 500',
  ERR_TRUST_LOCKED: '1 409 retry',
  ERR_TRUST_SIGNING_KEY: '1 500',
  ERR_TRUST_PERMISSIONS: '1 500',
  ERR_TRUST_NOTHING_TO_REVOKE: '1 500',
  ERR_TRUST_REVOKES_MASTER: '1 500',
  ERR_TRUST_ACCOUNT_TOO_LARGE: '1 500',
  ERR_TRUST_EXPORT: '1 500',
  ERR_TRUST_MASTER: '1 409',
  ERR_TRUST_ADMIN: '1 409',
  ERR_TRUST_INVITE: '1 500',
  ERR_TRUST_INVITE_EXPIRED: '3 403',
  ERR_TRUST_HOME_IN_USE: '1 409',
  ERR_TRUST_OPTIONS: '1 400',
  ERR_SERVER_TOO_OLD: '1 500',
  ERR_NATS_SERVER_NOT_FOUND: '1 500',
  ERR_NATS_SERVER_START: '1 500',
  ERR_NATS_SERVER_ENDED: '1 500',
  ERR_NATS_SERVER_OPTIONS: '1 500',
  ERR_NATS_SERVER_NO_SYSTEM_CREDS: '1 500',
  ERR_NATS_SERVER_REFUSED: '3 403',
  ERR_NATS_SERVER_UNREACHABLE: '4 503 retry',
  ERR_NATS_SERVER_NOT_SYSTEM: '3 500',
  ERR_NATS_SERVER_RESOLVER: '1 500',
  ERR_NATS_SERVER_PUSH_REFUSED: '3 500',
  ERR_NATS_SERVER_PUSH_INCOMPLETE: '4 503 retry',
  ERR_NATS_SERVER_OPERATOR_OUTDATED: '1 500',
  ERR_BACKUP_DAMAGED: '1 500',
  ERR_BACKUP_IDENTITY: '3 403',
  ERR_BACKUP_VERSION: '1 500',
  ERR_BACKUP_OTHER_TRUST: '3 403',
  ERR_BACKUP_HOME: '1 409',
  ERR_BULK_INCOMPLETE: '1 500',
  ERR_BULK_ROW: '1 400',
  ERR_BULK_DELIVERY: '1 500',
  ERR_BULK_INPUT: '1 400',
  ERR_BULK_OUTPUT_CLOSED: '1 500',
  ERR_FLEET_NO_MASTER: '4 503 retry',
  ERR_FLEET_TIMEOUT: '4 504 retry',
  ERR_FLEET_NOT_CONNECTED: '4 503 retry',
  ERR_FLEET_REQUEST: '1 400',
  ERR_FLEET_LABEL: '1 400',
  ERR_FLEET_ANSWER: '1 500 retry',
  ERR_FLEET_DENIED: '3 403 audited',
  ERR_FLEET_RATE: '3 429 retry audited',
  ERR_FLEET_REPLY: '3 403 audited',
  ERR_FLEET_UNKNOWN_PEEL: '3 404 unaudited',
  ERR_FLEET_ID_TAKEN: '3 409',
  ERR_FLEET_KEY_TAKEN: '3 409',
  ERR_FLEET_KEY_UNKNOWN: '3 404',
  ERR_FLEET_PENDING: '3 409 retry unaudited',
  ERR_FLEET_POLICY: '1 500',
  ERR_FLEET_REJECTED: '3 403',
  ERR_FLEET_REVOKED: '3 403',
  ERR_FLEET_ISSUED_AHEAD: '1 403',
  ERR_FLEET_STATE: '3 409',
  ERR_FLEET_TOKEN_UNKNOWN: '3 404',
  ERR_FLEET_TOKEN_EXPIRED: '3 403',
  ERR_FLEET_TOKEN_USED_UP: '3 403',
  ERR_FLEET_TOKEN_ID: '3 403',
  ERR_FLEET_RECOVERY: '3 403',
  ERR_FLEET_CLONED: '3 403 audited',
  ERR_FLEET_CHALLENGE: '3 403 retry',
  ERR_FLEET_PROOF: '3 403 audited',
  ERR_FLEET_CLOCK: '3 403 audited',
  ERR_FLEET_REPLAY: '3 403 audited',
  ERR_FLEET_STORE: '4 503 retry unaudited',
  ERR_FLEET_NOT_READY: '4 503 retry',
  ERR_FLEET_RECORD: '1 500',
  ERR_FLEET_UNCONFIRMED: '4 503 retry',
  ERR_FLEET_KEY_OFFLINE: '1 503',
  ERR_FLEET_UNJUDGED: '1 403',
  ERR_FLEET_OTHER_KEY: '1 403',
  ERR_FLEET_LEAFNODE: '1 403',
  ERR_FLEET_NO_HANDLER: '1 404',
  ERR_FLEET_HANDLER: '1 500',
  ERR_FLEET_INCOMPLETE: '1 500 retry',
  ERR_FLEET_CONFIG: '1 400',
  ERR_FLEET_INTERNAL: '1 500 retry',
  ERR_API_AUTH: '3 401',
  ERR_API_ORIGIN: '3 403',
  ERR_API_NOT_FOUND: '1 404',
  ERR_API_METHOD: '1 405',
  ERR_API_REQUEST: '1 400',
  ERR_API_TOO_LARGE: '1 413',
  ERR_USAGE: '2 400',
  ERR_FINDINGS: '1 500',
  ERR_EXPECTATION: '1 500',
  ERR_INTERRUPTED: '1 500',
};

const CODES = Object.keys(TRAITS);

const AUDITED = { always: ['audited'], peers: [], never: ['unaudited'] } as const;

describe('the traits of an error code', () => {
  it('are those that are meant for it', () => {
    const words = (code: string) => {
      const { exitCode, httpStatus, retryable = false, audited = 'peers' } = errorTraits(code) ?? {};
      return [exitCode, httpStatus, ...(retryable ? ['retry'] : []), ...AUDITED[audited]].join(' ');
    };
    expect(Object.fromEntries(CODES.map((code) => [code, words(code)]))).toEqual(TRAITS);
  });

  // Whoever adds a code writes both tables above alike. These hold whatever they say.
  it.each(CODES)('agree with each other, and with the name of %s', (code) => {
    const { exitCode, httpStatus, retryable } = errorTraits(code) ?? {};
    if (exitCode === 2) expect(httpStatus, 'of a usage error').toBe(400);
    if (exitCode === 4) {
      expect(httpStatus, 'of no server').toBeGreaterThanOrEqual(500);
      expect(retryable, 'of no server').toBe(true);
    }
    // the same bad request stays bad
    if (retryable === true) expect(httpStatus, 'of what a retry may solve').not.toBe(400);
    if (/_(TAKEN|EXISTS)$/.test(code)) expect(httpStatus).toBe(409);
    if (/_(EXPIRED|REVOKED|DENIED)$/.test(code))
      expect({ exitCode, httpStatus }).toEqual({ exitCode: 3, httpStatus: 403 });
  });

  it.each(['ERR_NONE_OF_OURS', 'toString', '__proto__', ''])(
    'do not exist for %j, which is not one of our codes',
    (code) => {
      expect(errorTraits(code)).toBeUndefined();
    },
  );
});

// Converts a failed connection attempt to a ConnectError with the reason.
import { ConnectError } from '../errors.js';

/** The message if a server requires a client certificate and none is given. */
export const CERTIFICATE_REQUIRED = 'the server requires a client certificate (--tls-cert, --tls-key)';

/** The kind and the reason of a failed connection. */
export interface ConnectFailure {
  kind: 'refused' | 'no-tls' | 'certificate' | 'unreachable';
  reason: string;
}

/** The reason if a connection ends without an error message. */
export const CLOSED = 'the server closed the connection';

/** OpenSSL's error names for an invalid certificate, which Node.js reports in `code`. */
const CERTIFICATE_CODES =
  /^(UNABLE_TO_|DEPTH_ZERO_SELF_SIGNED|SELF_SIGNED_CERT|CERT_|ERR_TLS_CERT_|INVALID_CA|INVALID_PURPOSE|HOSTNAME_MISMATCH|PATH_LENGTH)/;

/** The client's message for a peer that is not a server. */
export const UNEXPECTED_RESPONSE = 'unexpected response from server';

/** The client's messages for a first line that is not INFO, or whose JSON is invalid (V8's JSON.parse message). */
const NOT_NATS =
  /^unexpected response from server$|\bJSON\b.* position \d|is not valid JSON|end of JSON input/i;

/** Longer than any message of a server. What listens in its place may send a quarter of a megabyte. */
const MAX_REASON = 500;

/** Classifies a connection failure by an error of the client or a socket. */
export function connectFailure(cause: unknown, timeoutMs: number): ConnectFailure {
  const { name, message: whole } = cause instanceof Error ? cause : { name: '', message: String(cause) };
  const message = whole.slice(0, MAX_REASON);
  if (
    name === 'AuthorizationError' ||
    name === 'UserAuthenticationExpiredError' ||
    /authorization|authentication/i.test(message)
  ) {
    return { kind: 'refused', reason: message };
  }
  if (message.includes("server does not support 'tls'") || message.includes('tls: is not available')) {
    return { kind: 'no-tls', reason: 'TLS is required, but the server does not offer it' };
  }
  if (message === CERTIFICATE_REQUIRED) return { kind: 'certificate', reason: message };
  const code = codeOf(cause) ?? '';
  if (CERTIFICATE_CODES.test(code)) {
    return {
      kind: 'certificate',
      reason: `the server's certificate is not trusted (${message}): give the CA that issued it (--tls-ca)`,
    };
  }
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'ERR_SSL_PACKET_LENGTH_TOO_LONG') {
    return { kind: 'certificate', reason: 'the server announces TLS, but does not speak it' };
  }
  if (code === 'EPROTO' || code.startsWith('ERR_SSL')) {
    return {
      kind: 'certificate',
      reason: `the TLS handshake failed (${message}): the server may require a client certificate (--tls-cert, --tls-key)`,
    };
  }
  if (name === 'TimeoutError') {
    return { kind: 'unreachable', reason: `no answer within ${timeoutMs / 1000} s (timeout)` };
  }
  if (message.includes('undefined error') || message === '' || message === 'undefined') {
    return { kind: 'unreachable', reason: CLOSED };
  }
  if (NOT_NATS.test(message))
    return { kind: 'unreachable', reason: 'the program that listens there does not speak NATS' };
  if (name === 'ProtocolError') return { kind: 'unreachable', reason: `the server says "${message}"` };
  return { kind: 'unreachable', reason: message };
}

const CODES = {
  refused: 'ERR_CONNECT_REFUSED',
  'no-tls': 'ERR_CONNECT_NO_TLS',
  certificate: 'ERR_CONNECT_CERTIFICATE',
  unreachable: 'ERR_CONNECT_UNREACHABLE',
} as const;

/** The error for a failure. @param where the servers, in printable form */
export function connectError({ kind, reason }: ConnectFailure, where: string, cause: unknown): ConnectError {
  return new ConnectError(CODES[kind], `cannot connect to ${where}: ${reason}`, { cause });
}

/**
 * The error for a failed first connect.
 *
 * @param cause the error of the client or a socket; a ConnectError is returned unchanged
 * @param where the servers, in printable form
 * @param refused what the server refuses, and the possible reasons
 */
export function firstConnectError(
  cause: unknown,
  where: string,
  timeoutMs: number,
  refused = { what: 'the credentials', why: 'they may be revoked, expired or of another operator' },
): ConnectError {
  if (cause instanceof ConnectError) return cause;
  const failure = connectFailure(cause, timeoutMs);
  if (failure.kind !== 'refused') return connectError(failure, where, cause);
  const { what, why } = refused;
  return new ConnectError(CODES.refused, `${where} refused ${what} (${failure.reason}): ${why}`, { cause });
}

/** Whether a connection was closed or reset without a reason. */
export function closedWithoutReason(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) {
    const { code = '' } = at as NodeJS.ErrnoException;
    if (/ECONNRESET|EPIPE/.test(`${code} ${at.message}`) || at.message.includes(CLOSED)) return true;
  }
  return false;
}

function codeOf(error: unknown): string | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth < 4; at = at.cause, depth += 1) {
    const { code } = at as NodeJS.ErrnoException;
    if (typeof code === 'string') return code;
  }
  return undefined;
}

import { FindingsError, JwtChainError, PeelIdError, UsageError } from '../errors.js';

/** What the process ends with. Documented in the README; scripts rely on it. */
export const EXIT = {
  done: 0,
  failed: 1,
  /** The command line is wrong. */
  usage: 2,
  /** Not trusted, revoked, expired, or not allowed. */
  refused: 3,
  /** The server could not be reached. */
  unreachable: 4,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Whole files and tokens that are nonetheless not to be trusted. */
const REFUSED_CODES: ReadonlySet<string> = new Set([
  'ERR_CREDS_EXPIRED',
  'ERR_CREDS_OTHER_PEEL',
  'ERR_CREDS_JWT_SIGNATURE',
  'ERR_CREDS_SEED_MISMATCH',
  'ERR_JWT_SIGNATURE',
  'ERR_JWT_ALGORITHM',
  'ERR_CONNECT_REFUSED',
  'ERR_CONNECT_NO_TLS',
  'ERR_CONNECT_CERTIFICATE',
  'ERR_CONNECT_PLAIN',
  'ERR_NATS_SERVER_REFUSED',
  'ERR_NATS_SERVER_NOT_SYSTEM',
  'ERR_NATS_SERVER_PUSH_REFUSED',
  'ERR_FLEET_DENIED',
  'ERR_FLEET_REJECTED',
  'ERR_FLEET_REVOKED',
  'ERR_FLEET_PENDING',
  'ERR_FLEET_ID_TAKEN',
  'ERR_FLEET_KEY_TAKEN',
  'ERR_FLEET_KEY_UNKNOWN',
  'ERR_FLEET_TOKEN_UNKNOWN',
  'ERR_FLEET_TOKEN_EXPIRED',
  'ERR_FLEET_TOKEN_USED_UP',
  'ERR_FLEET_TOKEN_ID',
  'ERR_FLEET_CHALLENGE',
  'ERR_FLEET_PROOF',
  'ERR_FLEET_RATE',
  'ERR_FLEET_REPLY',
  'ERR_FLEET_STATE',
  'ERR_FLEET_UNKNOWN_PEEL',
]);

/** Names of the NATS client's errors; by name, so that the client is not loaded for them. */
const REFUSED_NAMES: ReadonlySet<string> = new Set([
  'AuthorizationError',
  'UserAuthenticationExpiredError',
  'PermissionViolationError',
]);
const UNREACHABLE_NAMES: ReadonlySet<string> = new Set([
  'ConnectionError',
  'TimeoutError',
  'NoRespondersError',
]);
const UNREACHABLE_CODES: ReadonlySet<string> = new Set([
  'ERR_CONNECT_UNREACHABLE',
  'ERR_NATS_SERVER_UNREACHABLE',
  'ERR_NATS_SERVER_PUSH_INCOMPLETE',
  'ERR_FLEET_NO_MASTER',
  'ERR_FLEET_TIMEOUT',
  'ERR_FLEET_NOT_CONNECTED',
  'ERR_FLEET_STORE',
  'ERR_FLEET_UNCONFIRMED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
]);

/** The exit code that an error stands for. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof UsageError || error instanceof PeelIdError) return EXIT.usage;
  if (error instanceof FindingsError) return error.exitCode as ExitCode;
  if (error instanceof JwtChainError) return EXIT.refused;
  if (!(error instanceof Error)) return EXIT.failed;
  const { code = '' } = error as NodeJS.ErrnoException;
  if (REFUSED_CODES.has(code) || REFUSED_NAMES.has(error.name)) return EXIT.refused;
  if (UNREACHABLE_CODES.has(code) || UNREACHABLE_NAMES.has(error.name)) return EXIT.unreachable;
  return EXIT.failed;
}

// The exit codes, and their mapping from errors.
import { errorTraits } from '../../error-traits.js';
import { FindingsError } from '../../errors.js';

/** Exit codes of the process. Documented in docs/cli.md; scripts rely on them. */
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
/** The system's error codes. */
const UNREACHABLE_CODES: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
]);

/** The exit code of an error. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof FindingsError) return error.exitCode as ExitCode;
  if (!(error instanceof Error)) return EXIT.failed;
  const { code = '' } = error as NodeJS.ErrnoException;
  const traits = errorTraits(code);
  if (traits !== undefined) return traits.exitCode;
  if (REFUSED_NAMES.has(error.name)) return EXIT.refused;
  if (UNREACHABLE_CODES.has(code) || UNREACHABLE_NAMES.has(error.name)) return EXIT.unreachable;
  return EXIT.failed;
}

// The type of a check's result.
import { ZesterError } from '../errors.js';

/** The result of a check. */
export interface Finding {
  /** `warning`: it will become a problem, or something does not work as intended. */
  severity: 'ok' | 'warning' | 'error';
  /** The kind of check, such as `mode`, `expiry`, `chain`. */
  check: string;
  /** The file, key or server. */
  subject: string;
  message: string;
  /** The remedy; absent if there is no problem, or if the message contains it. */
  fix?: string;
  /** The `code` of the error, if there was one. */
  code?: string;
}

/** Converts an error to a finding; the error's message contains the remedy. Rethrows other errors than ZesterErrors. */
export function findingOf(error: unknown, check: string, subject: string): Finding {
  if (!(error instanceof ZesterError)) throw error;
  return { severity: 'error', check, subject, message: error.message, code: error.code };
}

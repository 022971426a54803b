// The type of a check's result.
import { ZesterError } from '../errors.js';

/** The result of a check. */
export interface Finding {
  /** `ok`: as it should be; `warning`: it will become a problem, or something does not work as intended. */
  severity: 'ok' | 'warning' | 'error';
  /** What was checked, such as `mode`, `expiry`, `chain`. */
  check: string;
  /** Which file, key or server. */
  subject: string;
  message: string;
  /** What to do; absent if all is well or the message says it. */
  fix?: string;
  /** The `code` of the error, if there was one. */
  code?: string;
}

/** Turns an error into a finding; its message says what to do. Rethrows anything but a ZesterError. */
export function findingOf(error: unknown, check: string, subject: string): Finding {
  if (!(error instanceof ZesterError)) throw error;
  return { severity: 'error', check, subject, message: error.message, code: error.code };
}

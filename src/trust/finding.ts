// The type of a check's result.
import { ZesterError } from '../errors.js';

/** What a check found. */
export interface Finding {
  /** `ok`: it is as it should be; `warning`: it will not stay so, or something does not work as meant. */
  severity: 'ok' | 'warning' | 'error';
  /** What was checked, such as `mode`, `expiry`, `chain`. */
  check: string;
  /** Which file, key or server. */
  subject: string;
  message: string;
  /** What to do; absent where all is well, and where the message says it. */
  fix?: string;
  /** The `code` of the error that was found. */
  code?: string;
}

/** An error as a finding; its message says what to do. What is not an error of ours is thrown on. */
export function findingOf(error: unknown, check: string, subject: string): Finding {
  if (!(error instanceof ZesterError)) throw error;
  return { severity: 'error', check, subject, message: error.message, code: error.code };
}

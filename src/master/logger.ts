// The logger interface of a master.
import { guarded, type ReportFailure } from '../async/guarded.js';

/**
 * The logger of a master. A pino logger fits; others need an adapter, since the fields come first. No seed is logged.
 */
export interface MasterLogger {
  /** Details, for diagnosis. */
  debug(fields: object, message: string): void;
  /** The master's actions and decisions. */
  info(fields: object, message: string): void;
  /** Conditions that an operator should look into. */
  warn(fields: object, message: string): void;
  /** Failures. */
  error(fields: object, message: string): void;
}

/** A user's logger, made safe to call: a failed log call affects no decision. */
export function guardedLogger(logger: MasterLogger, report: ReportFailure): MasterLogger {
  return {
    debug: guarded((fields: object, message: string) => logger.debug(fields, message), report),
    info: guarded((fields: object, message: string) => logger.info(fields, message), report),
    warn: guarded((fields: object, message: string) => logger.warn(fields, message), report),
    error: guarded((fields: object, message: string) => logger.error(fields, message), report),
  };
}

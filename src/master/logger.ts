// The logger interface of a master.
import { guarded, type ReportFailure } from '../async/guarded.js';

/** Where a master logs. Loggers of pino are such; other loggers need an adapter, since the fields come first. No seed is logged. */
export interface MasterLogger {
  /** Details, for diagnosis. */
  debug(fields: object, message: string): void;
  /** What the master does and decides. */
  info(fields: object, message: string): void;
  /** What an operator should look into. */
  warn(fields: object, message: string): void;
  /** What failed. */
  error(fields: object, message: string): void;
}

/** A user's logger, made safe to call: a log line that cannot be written decides nothing. */
export function guardedLogger(logger: MasterLogger, report: ReportFailure): MasterLogger {
  return {
    debug: guarded((fields: object, message: string) => logger.debug(fields, message), report),
    info: guarded((fields: object, message: string) => logger.info(fields, message), report),
    warn: guarded((fields: object, message: string) => logger.warn(fields, message), report),
    error: guarded((fields: object, message: string) => logger.error(fields, message), report),
  };
}

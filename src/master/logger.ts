// The logger interface of a master.
import { guarded, type ReportFailure } from '../async/guarded.js';

/** Where a master logs: the shape of pino's loggers, fields first. None is ever given a seed. */
export interface MasterLogger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
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

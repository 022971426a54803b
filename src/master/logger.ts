/** Where a master logs: the shape of pino's loggers, fields first. None is ever given a seed. */
export interface MasterLogger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
